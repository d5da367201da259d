import { RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerValue, headerValues } from '../domain/headers.ts';
import { parseContentRange } from '../domain/range.ts';

/**
 * The length that a registry announces; undefined when it does not.
 * @throws a RegistryError when the field is not one plain number (RFC 9110, section 8.6)
 */
export function announcedLength(headers: HeaderList): number | undefined {
  const [text, ...others] = headerValues(headers, 'Content-Length');
  if (text === undefined) return undefined;
  const length = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(length) && others.every((other) => other === text)) return length;
  const said = [text, ...others].join(', ');
  throw new RegistryError('UNAVAILABLE', {
    status: 502,
    message: 'the registry announced an unusable length',
    explanation: `The registry's answer has the Content-Length "${said}", which is not one plain number of bytes.`,
  });
}

/**
 * The total length said by an answer 206 to `Range: bytes=<from>-`; undefined unless it is exactly the rest of the blob
 * (RFC 9110, section 14.4), because anything else would be spliced into the wrong place.
 */
export function restLength(headers: HeaderList, from: number, size: number | undefined): number | undefined {
  const range = parseContentRange(headerValue(headers, 'Content-Range') ?? '');
  if (range?.size === undefined) return undefined;
  const isRest = range.start === from && range.end === range.size - 1;
  return isRest && range.size === (size ?? range.size) ? range.size : undefined;
}
