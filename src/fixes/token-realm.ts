import type { Fix } from './fix.ts';

/** Carried out by the pipeline, which has to ask the registry or its token service. */
export const tokenRealm: Fix = {
  id: 'token-realm',
  title: 'The realm of a challenge is manifix, which asks the token service of the registry',
  symptom:
    '`docker login` fails with `dial tcp: connection refused`, or crane with `invalid realm in www-authenticate`',
  defaultMode: 'on',
  digest: 'unchanged',
};
