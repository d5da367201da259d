import { Readable } from 'node:stream';
import { algorithmOf, type Digest, digestOf } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import { contentCoding, type HeaderList, withoutHeaders } from '../domain/headers.ts';
import type { Route } from '../domain/route.ts';
import { formatRoute } from '../domain/route-path.ts';
import { decodeBody } from '../lib/content-encoding.ts';
import { readUpTo } from '../lib/read-body.ts';
import { readHeaders } from './access.ts';
import { type Exchange, throttledOf } from './exchange.ts';
import { withoutManifest } from './manifest-as-blob.ts';
import type { FillSource, Services } from './ports.ts';
import { reportRedirect, reportRepair, reportWait } from './report.ts';

/** Compressed answers up to this size are judged by their digest; longer ones are layers, which are compressed already. */
const MAX_JUDGED = 8 * 1024 * 1024;
/** What compressed that little in earnest; a kilobyte of gzip can hold a mebibyte, and all of it is held in memory. */
const MAX_DECODED = 4 * MAX_JUDGED;

/** Where a fill gets a blob: the registry's own URL with the caller's credentials, again from `from` after a cut. */
export function blobSource(
  services: Services,
  exchange: Exchange,
  route: Extract<Route, { kind: 'blob' }>,
): FillSource {
  const { fixes, upstream } = exchange.endpoint;
  return async (signal, from) => {
    const resume: HeaderList = from === undefined ? [] : [['Range', `bytes=${from}-`]];
    const response = await upstream.request({
      method: 'GET',
      path: formatRoute(route),
      throttled: throttledOf(exchange.endpoint),
      headers: [...readHeaders(exchange.request.headers), ...resume],
      signal,
    });
    reportWait(exchange, response);
    if (from === undefined) reportRedirect(exchange, response);
    const coding = contentCoding(response.headers);
    if (coding === undefined || response.status !== 200) {
      return from === undefined ? withoutManifest(services, exchange, route, response) : response;
    }
    reportRepair(exchange, 'gzip-content-encoding', `undid Content-Encoding ${coding}`);
    if (fixes.mode('gzip-content-encoding') !== 'on') return response;
    return undoCoding(response, coding, route.digest);
  };
}

async function undoCoding<Response extends { headers: HeaderList; body: Readable }>(
  response: Response,
  coding: string,
  digest: Digest,
): Promise<Response> {
  const plain = withoutHeaders(response.headers, 'Content-Encoding');
  const body = await readUpTo(response.body, MAX_JUDGED);
  if (!(body instanceof Uint8Array)) return { ...response, headers: plain, body };
  const asSent = digestOf(body, algorithmOf(digest)) === digest;
  const bytes = asSent ? body : decodeBody(body, coding, MAX_DECODED);
  if (!(bytes instanceof Uint8Array)) {
    throw new RegistryError('UNKNOWN', {
      status: 502,
      message: `the registry compressed a blob in a way that cannot be undone (${bytes})`,
      fix: 'gzip-content-encoding',
      explanation: `The answer said "Content-Encoding: ${coding}" although no compression was asked for, and its body is ${bytes}.`,
    });
  }
  return {
    ...response,
    headers: [...withoutHeaders(plain, 'Content-Length'), ['Content-Length', String(bytes.length)]],
    body: Readable.from([bytes], { objectMode: false }),
  };
}
