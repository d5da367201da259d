import type { Digest } from './digest.ts';

const RANGE_FORM = /^bytes=(\d*)-(\d*)$/i;
const CONTENT_RANGE_FORM = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i;
const ENTITY_TAG_FORM = /^(?:W\/)?(?:"([^"]*)"|([^"]*))$/;

/**
 * Reads a Range header against content of `size` bytes (RFC 9110, section 14). Both ends of the result are inclusive and
 * within the content. Undefined asks for the whole: no header, another unit, several ranges, or malformed. A range that
 * runs backwards is `unsatisfiable`, as the OCI conformance suite wants a 416 for it.
 */
export function parseRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = RANGE_FORM.exec(header?.trim() ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const suffix = first === '';
  const start = suffix ? Math.max(0, size - Number(last)) : Number(first);
  const end = suffix || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start > end ? 'unsatisfiable' : { start, end };
}

/** The Content-Range of a 206, or that of a 416 when the range is `unsatisfiable`. `size` is that of the whole content. */
export function formatContentRange(
  range: { readonly start: number; readonly end: number } | 'unsatisfiable',
  size: number,
): string {
  return range === 'unsatisfiable' ? `bytes */${size}` : `bytes ${range.start}-${range.end}/${size}`;
}

/** Reads the Content-Range of a 206; `size` is absent when the sender does not know it. Undefined when it makes no sense. */
export function parseContentRange(
  header: string | undefined,
): { readonly start: number; readonly end: number; readonly size?: number } | undefined {
  const [, first = '', last = '', total = ''] = CONTENT_RANGE_FORM.exec(header?.trim() ?? '') ?? [];
  const start = Number(first);
  const end = Number(last);
  if (first === '' || !Number.isSafeInteger(end) || start > end) return undefined;
  if (total === '*') return { start, end };
  const size = Number(total);
  return Number.isSafeInteger(size) && end < size ? { start, end, size } : undefined;
}

/**
 * Whether If-None-Match names the content: weakly compared (RFC 9110, section 13.1.2), in lists, or `*`. Unquoted digests
 * count too: docker-registry's pull-through cache hands them out.
 * @param ifNoneMatch all lines of the field
 */
export function matchesEntityTag(ifNoneMatch: readonly string[], digest: Digest): boolean {
  const condition = ifNoneMatch.join(',').trim();
  if (condition === '*') return true;
  return condition.split(',').some((member) => {
    const match = ENTITY_TAG_FORM.exec(member.trim());
    return (match?.[1] ?? match?.[2]) === digest;
  });
}

/**
 * Whether a Range may be honoured under this If-Range (RFC 9110, section 13.1.5): no condition, or the strong entity tag of
 * the content. A date never allows it, because no Last-Modified is sent with content addressed by digest.
 */
export function ifRangeAllows(ifRange: string | undefined, digest: Digest): boolean {
  if (ifRange === undefined) return true;
  const validator = ifRange.trim();
  return validator === digest || validator === `"${digest}"`;
}
