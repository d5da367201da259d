import type { HeaderList } from '../headers.ts';

/** A request with its whole body. `path` is the target before the first question mark, as it came. */
export interface DoubleRequest {
  readonly method: string;
  readonly target: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: HeaderList;
  readonly body: Buffer;
}

/** A whole answer. Without a Content-Length header the body is sent chunked. */
export interface DoubleResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Buffer;
}

/** An answer whose Content-Length is that of its body. */
export function answer(status: number, headers: HeaderList = [], body: Buffer | string = ''): DoubleResponse {
  const bytes = Buffer.from(body);
  // RFC 9110 section 8.6: these have no Content-Length.
  const length: HeaderList = status === 204 || status === 304 ? [] : [['Content-Length', String(bytes.length)]];
  return { status, headers: [...headers, ...length], body: bytes };
}

/** An answer with a JSON body. */
export function jsonAnswer(status: number, content: unknown, headers: HeaderList = []): DoubleResponse {
  return answer(status, [['Content-Type', 'application/json'], ...headers], JSON.stringify(content));
}

/** An error as the distribution specification writes it. */
export function errorAnswer(status: number, code: string, message: string, detail?: unknown): DoubleResponse {
  return jsonAnswer(status, { errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] });
}
