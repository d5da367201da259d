import { type HeaderList, headerValues } from './headers.ts';

/**
 * Reads a Retry-After field (RFC 9110, section 10.2.3: seconds or a date) as milliseconds from `now` on; undefined when it is
 * absent or malformed.
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  // `Date.parse` takes almost anything, such as "-1"; an HTTP date begins with a weekday and ends with GMT.
  const date = /^[A-Za-z]{3,9},? .*GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** What somebody who refuses to work says about when to come back, as fields of the refusal that is passed on. */
export function retryAfterOf(headers: HeaderList): HeaderList {
  return headerValues(headers, 'Retry-After').map((value) => ['Retry-After', value] as const);
}

/** The field for that many milliseconds: whole seconds, at least one, so that nobody comes back too early. */
export function formatRetryAfter(milliseconds: number): string {
  return String(Math.max(1, Math.ceil(milliseconds / 1_000)));
}
