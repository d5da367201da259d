import type { Fix } from './fix.ts';

/** Carried out by the pipeline, which has to ask the registry or its token service. */
export const challengeMissing: Fix = {
  id: 'challenge-missing',
  title: 'A 401 without a challenge, or without a scope, gets the one that the registry has elsewhere',
  symptom: '`no basic auth credentials` or endless 401 although the login is right',
  defaultMode: 'on',
  digest: 'unchanged',
};
