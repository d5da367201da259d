import { type HeaderList, headerValue, withHeader, withoutHeaders } from './headers.ts';
import { parseContentRange } from './range.ts';

/** Asks for the first byte of content, which costs nothing and tells the length of the whole (RFC 9110, section 14.4). */
export const FIRST_BYTE: HeaderList[number] = ['Range', 'bytes=0-0'];

const EMPTY = /^bytes \*\/0$/i;

/**
 * What a HEAD would have said, from the answer to a GET of the first byte: the whole in place of the part. Other answers
 * stay as they are, and no length is stated that is not that of the content.
 */
export function headOfFirstByte<Answer extends { readonly status: number; readonly headers: HeaderList }>(
  answer: Answer,
): Answer {
  const { status, headers } = answer;
  const contentRange = headerValue(headers, 'Content-Range');
  // Content without a first byte.
  const empty = status === 416 && EMPTY.test(contentRange?.trim() ?? '');
  if (status !== 206 && !empty) return answer;
  const plain = withoutHeaders(headers, 'Content-Range', 'Content-Length');
  const size = empty ? 0 : parseContentRange(contentRange)?.size;
  return {
    ...answer,
    status: 200,
    headers: size === undefined ? plain : withHeader(plain, 'Content-Length', String(size)),
  };
}
