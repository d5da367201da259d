import { RegistryError } from '../domain/errors.ts';
import { headerValue, withHeader, withoutHeaders } from '../domain/headers.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { Fix, RequestChange, RequestView } from './fix.ts';

/** As in answers (RFC 9110, section 14.4), as in the Range of a request, or as the specification has it. */
const CONTENT_RANGE = /^(?:bytes\s*[= ])?\s*(\d{1,15})\s*-\s*(\d{1,15})(?:\/(?:\d+|\*))?$/i;

/**
 * distribution-spec ("Pushing a blob in chunks") has `<start>-<end>` for the Content-Range of a chunk. Clients write it as
 * HTTP does elsewhere; docker-registry 2 reads none of it, so that a chunk in the wrong place spoils the blob.
 */
export const contentRangeVariants: Fix = {
  id: 'content-range-variants',
  title: 'The Content-Range of a chunk is its first and last byte, and a chunk in the wrong place is refused',
  symptom: '416 or `SIZE_INVALID` for `Content-Range: bytes 0-9/10`; `DIGEST_INVALID` after a chunk was sent twice',
  defaultMode: 'on',
  digest: 'unchanged',
  options: {
    misplaced: {
      values: ['refuse', 'pass'],
      default: 'refuse',
      description:
        'Whether a chunk that does not continue what the session has is answered with 416, or left to the registry.',
    },
  },
  request: (view, options) => {
    const { method, route, headers, hasBody, uploaded } = view;
    const written = headerValue(headers, 'Content-Range');
    if (written === undefined || !hasBody || (method !== 'PATCH' && method !== 'PUT') || route.kind !== 'upload')
      return undefined;
    const [, start, end] = CONTENT_RANGE.exec(written.trim())?.map(Number) ?? [];
    if (start === undefined || end === undefined) {
      return { note: 'left out a Content-Range that says nothing', headers: withoutHeaders(headers, 'Content-Range') };
    }
    if (uploaded !== undefined && start !== uploaded && options.misplaced !== 'pass')
      return misplaced(view, start, uploaded);
    const range = `${start}-${lastByte(view, start) ?? end}`;
    return range === written
      ? undefined
      : { note: `wrote Content-Range as ${range}`, headers: withHeader(headers, 'Content-Range', range) };
  },
};

/** Some count the end as the byte behind the last; the length of the body is what it is. */
function lastByte({ headers }: RequestView, start: number): number | undefined {
  const length = Number(headerValue(headers, 'Content-Length'));
  return length > 0 ? start + length - 1 : undefined;
}

function misplaced({ route, query }: RequestView, start: number, uploaded: number): RequestChange {
  const refuse = new RegistryError('RANGE_INVALID', {
    detail: { start, expected: uploaded },
    explanation: `The chunk begins at byte ${start}, but the session has ${uploaded} bytes so far, and chunks come in order without gaps. Go on with byte ${uploaded}; a GET of the Location tells how much has arrived.`,
    fix: 'content-range-variants',
    headers: [
      ['Location', `${formatRoute(route)}?${query}`],
      ['Range', `0-${Math.max(0, uploaded - 1)}`],
    ],
  });
  return { note: 'refused a chunk in the wrong place', refuse };
}
