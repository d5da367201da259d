import type { Fix } from './fix.ts';

/**
 * Proxies in front of registries want to know a body's length in advance (411), or take none beyond a size (413: nginx from
 * 1 MiB on, Cloudflare from 100 MB). The pipeline cuts uploads to such a registry into chunks; here is what it says when
 * the first one could not be saved.
 */
export const bodyFramingLimits: Fix = {
  id: 'body-framing-limits',
  title: 'Uploads that a registry does not take in one piece, or without a length, are sent in chunks',
  symptom: '`411 Length Required` or `413 Request Entity Too Large` for a layer',
  defaultMode: 'on',
  digest: 'unchanged',
  trigger: 'proven-defect',
  response: ({ request, status, errors, explained }) => {
    const { method, route } = request;
    if (errors === undefined || explained === true || (status !== 411 && status !== 413)) return undefined;
    if (route.kind !== 'upload' || (method !== 'PATCH' && method !== 'PUT')) return undefined;
    return { note: `explained ${status}`, explain: status === 411 ? WITHOUT_LENGTH : TOO_LARGE };
  },
};

const NEXT_TIME = 'From now on manifix sends what it uploads there in chunks: push again.';
const WITHOUT_LENGTH = `The registry, or a proxy in front of it, takes no body without a Content-Length, and this client streams. ${NEXT_TIME}`;
const TOO_LARGE = `The registry, or a proxy in front of it, takes no body of this size. ${NEXT_TIME} If that is refused as well, raise the limit there (nginx: client_max_body_size).`;
