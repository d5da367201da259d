import type { Fix } from './fix.ts';

/** Registries redirect to http behind TLS, or to a name that only they know. The pipeline follows what leads to themselves. */
export const unreachableRedirectOrLocation: Fix = {
  id: 'unreachable-redirect-or-location',
  title: 'A redirect of the registry to itself is followed for the client',
  symptom: '301 to `http://` or to an internal name for a path with a slash too many',
  defaultMode: 'on',
  digest: 'unchanged',
};
