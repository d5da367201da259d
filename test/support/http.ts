import { type IncomingMessage, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { type HeaderList, headerList, headerValue } from './headers.ts';

interface Exchange {
  readonly method?: string;
  /** Path and query, sent as they are: nothing is normalised or encoded. */
  readonly target: string;
  readonly headers?: HeaderList | Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/** A whole answer: headers with their capitals, the body as it came. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Buffer;
  header(name: string): string | undefined;
}

/**
 * Sends one HTTP/1.1 request on a connection of its own and reads the whole answer.
 * Redirects are not followed and content codings are not undone, because tests want to see both. Any certificate will do.
 * @throws when the connection fails or the answer is cut off
 */
export async function exchange(
  origin: string,
  { method = 'GET', target, headers = [], body }: Exchange,
): Promise<HttpAnswer> {
  const { protocol, hostname, port } = new URL(origin);
  const pairs = isHeaderList(headers) ? headers : Object.entries(headers);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const setHost = !pairs.some(([name]) => name.toLowerCase() === 'host');
  const options = { hostname, port, method, path: target, agent: false, setHost };
  const outgoing =
    protocol === 'https:'
      ? secureRequest({ ...options, rejectUnauthorized: false }, resolve)
      : request(options, resolve);
  outgoing.once('error', reject);
  for (const [name, value] of pairs) outgoing.appendHeader(name, value);
  outgoing.end(body);
  const answer = await promise;
  const bytes = await buffer(answer);
  const list = headerList(answer.rawHeaders);
  return {
    status: answer.statusCode ?? 0,
    headers: list,
    body: bytes,
    header: (name) => headerValue(list, name),
  };
}

function isHeaderList(headers: HeaderList | Readonly<Record<string, string>>): headers is HeaderList {
  return Array.isArray(headers);
}
