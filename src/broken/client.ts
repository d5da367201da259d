import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import { parseErrors } from '../domain/errors.ts';

/** What came back, with as much of it as its reader looks at. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly body: Buffer;
  header(name: string): string | undefined;
}

interface Content {
  readonly type?: string;
  /** Further header fields; a list of values is sent as that many lines. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array;
}

/** Sends one request. `target` is a path, or the URL that an answer named in its Location. */
export type Send = (method: string, target: string, content?: Content) => Promise<Answer>;

/** A client of the server at `url` that sends what it is told and nothing else. Without `host` the Host field is the URL's. */
export function clientOf(url: string, signal: AbortSignal, host = new URL(url).host): Send {
  const { hostname, port } = new URL(url);
  return async (method, target, { type, body, headers: more } = {}) => {
    // Not through URL, which would repair what a client gets wrong on purpose.
    const path = target.replace(/^https?:\/\/[^/]+/, '');
    const headers = {
      Host: host,
      ...(type === undefined ? {} : { 'Content-Type': type }),
      ...(more as OutgoingHttpHeaders),
      ...(method === 'GET' || method === 'HEAD' ? {} : { 'Content-Length': String(body?.length ?? 0) }),
    };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    request({ hostname, port, method, path, headers, agent: false, signal }, resolve).on('error', reject).end(body);
    return readAnswer(await promise);
  };
}

async function readAnswer(incoming: IncomingMessage): Promise<Answer> {
  const body = Buffer.concat(await Array.fromAsync(incoming as AsyncIterable<Buffer>));
  return {
    status: incoming.statusCode ?? 0,
    reason: incoming.statusMessage ?? '',
    body,
    header: (name) => [incoming.headers[name.toLowerCase()]].flat()[0],
  };
}

/** Status and message of an error as the client sees them; for anything else the status and its reason phrase. */
export function describeAnswer({ status, reason, body }: Answer): string {
  const error = parseErrors(body)?.[0];
  if (error === undefined) return `${status} ${reason}`;
  const number = typeof error.detail === 'number' ? `, detail ${error.detail}` : '';
  return `${status} ${error.message ?? error.code}${number}`;
}

/** What manifix says about an error; undefined when it says nothing. */
export function explanationIn({ body }: Answer): string | undefined {
  const detail = parseErrors(body)?.[0]?.detail;
  const explanation = typeof detail === 'object' && detail !== null && 'manifix' in detail ? detail.manifix : undefined;
  return typeof explanation === 'string' ? explanation : undefined;
}
