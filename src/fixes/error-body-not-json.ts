import { codeForStatus, ERRORS } from '../domain/errors.ts';
import { headerValue, withoutHeaders } from '../domain/headers.ts';
import { parseMediaType } from '../domain/media-type.ts';
import type { Fix, ResponseView } from './fix.ts';

/** Enough for the words of any error page, and few enough to search for tags in no time. */
const READ_CHARACTERS = 8192;
const MESSAGE_CHARACTERS = 200;

/** Docker reads the body of every error as JSON and otherwise shows the parser's complaint. */
export const errorBodyNotJson: Fix = {
  id: 'error-body-not-json',
  title: 'Error pages and plain-text errors become the JSON that clients expect',
  symptom: "`error parsing HTTP 413 response body: invalid character '<'`",
  defaultMode: 'on',
  digest: 'unchanged',
  response: (view) => {
    const { request, status, errors } = view;
    if (status < 400 || errors !== undefined || request.method === 'HEAD' || isExtensionsJson(view)) return undefined;
    const code = codeForStatus(status, request.route.kind);
    const message = readableText(view.text ?? '') || ERRORS[code].message;
    return {
      note: `made an error body of status ${status} into JSON`,
      headers: withoutHeaders(view.headers, 'Content-Type', 'Content-Length', 'Content-Encoding'),
      errors: [{ code, message, detail: { upstreamStatus: status } }],
    };
  },
};

/** An extension of a registry, a token service under /v2/ for one, has JSON errors of its own, made for its own clients. */
function isExtensionsJson({ request, headers }: ResponseView): boolean {
  const type = parseMediaType(headerValue(headers, 'Content-Type'));
  return request.route.kind === 'other' && type?.endsWith('json') === true;
}

/** The words of a page on one line: no tags, no control characters, at most 200 characters. */
function readableText(text: string): string {
  const words = text
    .slice(0, READ_CHARACTERS)
    .replace(/<(script|style)\b.*?<\/\1\s*>/gis, ' ')
    .replace(/<[^<>]*>/g, ' ')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  return Array.from(words).slice(0, MESSAGE_CHARACTERS).join('');
}
