import type { Digest } from '../domain/digest.ts';
import { type HeaderList, headerValue, headerValues } from '../domain/headers.ts';
import { formatContentRange, ifRangeAllows, matchesEntityTag, parseRange } from '../domain/range.ts';
import { type Answer, type Exchange, NO_BODY } from './exchange.ts';
import type { BlobReader, ByteRange, CacheStatus } from './ports.ts';

/**
 * The answer with a blob whose size may not be known yet: the whole of it, one range of it (RFC 9110, section 14), or 304
 * when the client has it. Several ranges at once are answered with the whole.
 */
export function blobAnswer(
  exchange: Exchange,
  digest: Digest,
  size: number | undefined,
  cache: CacheStatus,
  read: (range?: ByteRange) => BlobReader,
): Answer {
  const { method, headers } = exchange.request;
  const common: HeaderList = [
    ['Content-Type', 'application/octet-stream'],
    ['Docker-Content-Digest', digest],
    ['Docker-Distribution-Api-Version', 'registry/2.0'],
    ['ETag', `"${digest}"`],
    ['Cache-Control', 'max-age=31536000, immutable'],
    ['Accept-Ranges', 'bytes'],
  ];
  if (matchesEntityTag(headerValues(headers, 'If-None-Match'), digest))
    return { status: 304, headers: common, body: NO_BODY, cache };
  const ranged = size !== undefined && method === 'GET' && ifRangeAllows(headerValue(headers, 'If-Range'), digest);
  const range = ranged ? parseRange(headerValue(headers, 'Range'), size) : undefined;
  if (range === 'unsatisfiable') {
    const unsatisfied: HeaderList = [...common, ['Content-Range', `bytes */${size}`], ['Content-Length', '0']];
    return { status: 416, headers: unsatisfied, body: NO_BODY, cache };
  }
  if (range !== undefined && size !== undefined) {
    const length: HeaderList = [
      ['Content-Length', String(range.end - range.start + 1)],
      ['Content-Range', formatContentRange(range, size)],
    ];
    return { status: 206, headers: [...common, ...length], body: { kind: 'blob', reader: read(range) }, cache };
  }
  const length: HeaderList = size === undefined ? [] : [['Content-Length', String(size)]];
  const body = method === 'HEAD' ? NO_BODY : ({ kind: 'blob', reader: read() } as const);
  return { status: 200, headers: [...common, ...length], body, cache };
}
