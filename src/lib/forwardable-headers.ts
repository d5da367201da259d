import { endToEndHeaders, type Field } from './hop-by-hop.ts';

// Fields that frame one message, and fields with which a proxy speaks about the client: registries build Location and
// token realms from those.
const NOT_FORWARDED = new Set([
  ...['host', 'content-length', 'expect', 'forwarded', 'x-real-ip'],
  // With these some frameworks (Rack, Symfony, IIS) read another path or method than manifix decided about.
  ...['x-rewrite-url', 'x-http-method-override', 'x-http-method', 'x-method-override'],
]);

const NOT_FORWARDED_PREFIXES = ['x-forwarded-', 'x-original-'];

/**
 * The fields of a request that may go to the next server: without those of the connection, of the framing, of proxies in front,
 * and without those that make another request of it.
 */
export function forwardableHeaders(headers: readonly Field[]): readonly Field[] {
  return endToEndHeaders(headers).filter(([name]) => {
    const lower = name.toLowerCase();
    return !NOT_FORWARDED.has(lower) && !NOT_FORWARDED_PREFIXES.some((prefix) => lower.startsWith(prefix));
  });
}
