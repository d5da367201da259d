import type { Fix } from './fix.ts';

/** Carried out by the registry client, which drops credentials when a redirect leaves the registry's origin. */
export const redirectAuthLeak400: Fix = {
  id: 'redirect-auth-leak-400',
  title: 'Redirects to storage are followed for the client, without its credentials',
  symptom: '`Only one auth mechanism allowed` from the storage behind the registry',
  defaultMode: 'on',
  digest: 'unchanged',
};
