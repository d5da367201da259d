import { endToEndHeaders, type Field } from './hop-by-hop.ts';

// Fields that frame one message, and fields with which a proxy speaks about the client: registries build Location and
// token realms from those.
const NOT_FORWARDED = new Set(['host', 'content-length', 'expect', 'forwarded', 'x-real-ip']);

const NOT_FORWARDED_PREFIXES = ['x-forwarded-', 'x-original-'];

/**
 * The fields of a request that may go to the next server: without those of the connection, of the framing, and of proxies
 * in front.
 */
export function forwardableHeaders(headers: readonly Field[]): readonly Field[] {
  return endToEndHeaders(headers).filter(([name]) => {
    const lower = name.toLowerCase();
    return !NOT_FORWARDED.has(lower) && !NOT_FORWARDED_PREFIXES.some((prefix) => lower.startsWith(prefix));
  });
}
