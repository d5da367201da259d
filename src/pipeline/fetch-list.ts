import { Readable } from 'node:stream';
import { contentCoding, type HeaderList, withoutHeaders } from '../domain/headers.ts';
import { type ListDocument, type ListKind, parseList } from '../domain/list.ts';
import { withQuery } from '../domain/query.ts';
import type { Route } from '../domain/route.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { RequestView } from '../fixes/fix.ts';
import { decodeBody } from '../lib/content-encoding.ts';
import { readUpTo } from '../lib/read-body.ts';
import { type Exchange, redirectsOf, throttledOf } from './exchange.ts';
import type { Refusal, UpstreamResponse } from './ports.ts';
import { readRefusal } from './relay.ts';
import { reportRedirect, reportRepair, reportWait } from './report.ts';

export type ListRoute = Extract<Route, { kind: ListKind }>;

/** What is read and repaired; a catalogue of a hundred thousand repositories has half of it. A longer list streams through. */
export const MAX_LIST = 8 * 1024 * 1024;

/** A list, or a page of one, that the registry answered with 200. */
export interface FetchedList {
  readonly kind: 'list';
  readonly headers: HeaderList;
  readonly bytes: Uint8Array;
  /** When the bytes are a JSON object. */
  readonly document?: ListDocument;
}

/** An answer of the registry to a list request, read as far as it can be repaired. */
export type Fetched =
  | FetchedList
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** Too long, of a coding that was not undone, or not an answer with content: it goes to the client as it comes. */
  | { readonly kind: 'stream'; readonly response: Pick<UpstreamResponse, 'status' | 'headers' | 'body'> };

/** Fields that are about bytes which are sent no more, once a list was changed. */
export const ABOUT_BYTES = ['ETag', 'Last-Modified', 'Content-MD5', 'Digest', 'Content-Digest', 'Repr-Digest'];

/** Fields that ask for something else than the list as it is now. */
const CONDITIONAL = ['If-None-Match', 'If-Modified-Since', 'If-Match', 'If-Unmodified-Since', 'Range', 'If-Range'];

/** Asks the registry for a list, also when the client sent HEAD. */
export async function fetchList(exchange: Exchange, route: ListRoute, sent: RequestView): Promise<Fetched> {
  const response = await exchange.endpoint.upstream.request({
    method: 'GET',
    path: withQuery(formatRoute(route), sent.query),
    headers: withoutHeaders(sent.headers, ...CONDITIONAL),
    redirects: redirectsOf(exchange.endpoint),
    throttled: throttledOf(exchange.endpoint),
    signal: exchange.signal,
  });
  reportWait(exchange, response);
  reportRedirect(exchange, response);
  if (response.status >= 400) return { kind: 'refused', refusal: await readRefusal(response) };
  if (response.status !== 200) return { kind: 'stream', response };
  const { headers, body } = await plainBody(exchange, response);
  if (!(body instanceof Uint8Array)) return { kind: 'stream', response: { ...response, headers, body } };
  const document = parseList(body);
  return { kind: 'list', headers, bytes: body, ...(document === undefined ? {} : { document }) };
}

/** The bytes of a list without a content coding; a stream when there are too many, or when the coding has to stay. */
async function plainBody(
  exchange: Exchange,
  { headers, body }: UpstreamResponse,
): Promise<{ headers: HeaderList; body: Uint8Array | Readable }> {
  const coding = contentCoding(headers);
  if (coding === undefined) return { headers, body: await readUpTo(body, MAX_LIST) };
  reportRepair(exchange, 'gzip-content-encoding', `undid Content-Encoding ${coding}`);
  if (exchange.endpoint.fixes.mode('gzip-content-encoding') !== 'on') return { headers, body };
  const bytes = await readUpTo(body, MAX_LIST);
  if (!(bytes instanceof Uint8Array)) return { headers, body: bytes };
  const decoded = decodeBody(bytes, coding, MAX_LIST);
  const plain = withoutHeaders(headers, 'Content-Encoding', 'Content-Length');
  if (decoded instanceof Uint8Array) return { headers: plain, body: decoded };
  // Some servers label bytes as compressed that are not.
  if (parseList(bytes) !== undefined) return { headers: plain, body: bytes };
  return { headers, body: Readable.from([bytes], { objectMode: false }) };
}
