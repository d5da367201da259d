import type { Fix } from './fix.ts';

/** Carried out by the client of the registry, which waits as the registry asks it to, once for all who want the same. */
export const rateLimit429: Fix = {
  id: 'rate-limit-429',
  title: 'A registry that limits requests is waited for, and left in peace meanwhile',
  symptom: '`429 Too Many Requests`; `toomanyrequests: You have reached your pull rate limit`',
  defaultMode: 'on',
  digest: 'unchanged',
};
