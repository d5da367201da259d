import type { Fix } from './fix.ts';

/** Carried out by the pipeline, which has to ask the registry or its token service. */
export const tokenShapes: Fix = {
  id: 'token-shapes',
  title: 'Tokens come under both names and with a lifetime, also from services that know no POST',
  symptom: '`authorization server did not include a token in the response`',
  defaultMode: 'on',
  digest: 'unchanged',
};
