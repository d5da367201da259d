import type { Agent } from 'node:http';
import type { Readable } from 'node:stream';
import { errors } from 'undici';
import { type UpstreamCredentials, withoutSession } from '../domain/credentials.ts';
import { FIRST_BYTE, headOfFirstByte } from '../domain/first-byte.ts';
import { type HeaderList, headerValue, withHeader } from '../domain/headers.ts';
import { isOneSite } from '../domain/realm.ts';
import { MAX_REDIRECTS } from '../domain/redirect.ts';
import { unavailable } from '../domain/unavailable.ts';
import { forwardableHeaders } from '../lib/forwardable-headers.ts';
import { type AddressCheck, createAddressCheck } from './address-check.ts';
import { type Authority, createAuthority } from './authority.ts';
import { type ConnectionOptions, createConnections } from './connections.ts';
import { isRedirect, mayFollow, redirectTarget, refusesHead, tooManyRedirects } from './redirects.ts';
import { type Hop, type HopAnswer, send, type Wire } from './send.ts';
import { createWire, DEFAULT_TIMEOUTS, type UpstreamTimeouts } from './wire.ts';

/** An answer that came, for the operator's figures. */
export interface UpstreamAnswered {
  readonly upstream: string;
  readonly method: string;
  /** `scheme://host:port` of who answered in the end. */
  readonly origin: string;
  readonly status: number;
  /** From the first request to the last header field. */
  readonly seconds: number;
  readonly redirected: boolean;
}

export interface UpstreamOptions extends ConnectionOptions {
  readonly name: string;
  /** `scheme://host[:port][/path]`; the path stands in front of `/v2/`. */
  readonly url: string;
  /** Whose right counts there; that of each caller where not told otherwise. */
  readonly credentials?: UpstreamCredentials;
  /** Origins besides the registry's own site that may be its token service. */
  readonly realms?: readonly string[];
  /** Hosts to which the registry may redirect although they are internal. */
  readonly redirects?: readonly string[];
  readonly timeouts?: Partial<UpstreamTimeouts>;
  /** The URL that callers' tokens are for, where that is another one. */
  readonly tokensOf?: string;
  /** The most bytes of a body that the registry takes. */
  readonly maxRequestBody?: number | undefined;
  readonly onAnswer?: (answer: UpstreamAnswered) => void;
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers: HeaderList;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
  readonly redirects?: 'follow' | 'own' | 'pass';
  readonly probeStorage?: boolean;
  /** `wait` waits a 429 out, within reason; default `pass`. */
  readonly throttled?: 'wait' | 'pass';
  /** Told when the registry itself answered, before any redirect is followed. */
  readonly onFirstAnswer?: (answer: Pick<HopAnswer, 'status' | 'headers'>) => void;
}

export interface UpstreamResponse extends HopAnswer {
  readonly redirected: boolean;
  readonly probed?: boolean;
  /** For how long 429s were waited out, in milliseconds. */
  readonly waited?: number;
  /** Whether the registry was not asked in the name of the caller, who showed something that counts elsewhere. */
  readonly asNobody?: true;
}

/** A registry that can be asked; see the port of the same name. */
export interface UpstreamClient {
  readonly name: string;
  readonly origin: string;
  readonly basePath: string;
  readonly maxRequestBody?: number;
  readonly authority: Authority['kind'];
  readonly hasAccount: boolean;
  readonly authorize: Authority['authorize'];
  readonly tokenServices: Authority['tokenServices'];
  readonly addresses: AddressCheck;
  readonly timeouts: UpstreamTimeouts;
  readonly agentFor?: (origin: string) => Agent;
  request(request: UpstreamRequest): Promise<UpstreamResponse>;
  /** Takes no more requests, and ends each connection when what runs on it is over. */
  retire(): Promise<void>;
  /** Ends every connection at once; running requests and bodies fail. */
  close(): Promise<void>;
}

/** A redirect's body up to this size is read, so that its connection can be used again. */
const MAX_DRAINED_BYTES = 65_536;

/**
 * The client of one registry, with connections of its own. Requests ask for `Accept-Encoding: identity` (a digest is that
 * of the plain bytes), carry no field of the client's connection or of proxies in front, and follow redirects of GET and
 * HEAD. Without an answer they reject with a RegistryError UNAVAILABLE (502, or 504 when time ran out); aborted, with the
 * signal's reason. A body that breaks off errors in the same two ways.
 */
export function createUpstream(options: UpstreamOptions): UpstreamClient {
  const {
    name,
    url,
    timeouts,
    maxRequestBody,
    onAnswer,
    realms = [],
    redirects = [],
    credentials = { kind: 'passthrough' },
    tokensOf,
  } = options;
  const { origin, pathname } = new URL(url);
  const basePath = pathname.replace(/\/+$/, '');
  const addresses = createAddressCheck(new URL(url).hostname, [...redirects, ...realms].map(hostnameOf));
  const wanted = { ...DEFAULT_TIMEOUTS, ...timeouts };
  const connections = createConnections(origin, options, addresses, wanted.connect);
  const wire = createWire(wanted, addresses, connections);
  const who = `The registry ${name} (${origin})`;
  const authority = createAuthority({
    who,
    origin,
    realms,
    credentials,
    tokenTimeout: wanted.headers / 2,
    isVisited: tokensOf !== undefined && !isOneSite(hostnameOf(tokensOf), hostnameOf(url)),
    send: (hop) => ask(wire, hop, `${hop.origin}, where the registry ${name} gives out tokens,`),
    // `/v2/` is where registries say what they want (distribution-spec, "Determining Support").
    probe: () => attempt({ method: 'GET', path: '/v2/', headers: [] }, []),
  });

  async function answerOf(hop: Hop, isFirst: boolean, asked: UpstreamRequest): Promise<HopAnswer & { probed?: true }> {
    const whom = isFirst ? who : `${hop.origin}, to which the registry ${name} redirects,`;
    const answer = await ask(wire, hop, whom);
    if (isFirst) asked.onFirstAnswer?.(answer);
    const probing = asked.probeStorage === true && hop.origin !== origin && refusesHead(hop.method, answer);
    return probing ? { ...(await askFirstByte(wire, hop, whom, answer)), probed: true } : answer;
  }

  async function request(asked: UpstreamRequest): Promise<UpstreamResponse> {
    const headers = await authority.authorize(asked);
    const answer = await attempt(asked, headers);
    const renewed = answer.status === 401 ? await authority.authorize(asked, { sent: headers, answer }) : headers;
    if (renewed === headers) return asSeen(answer, asked, headers);
    drain(answer.body);
    return asSeen(await attempt(asked, renewed), asked, renewed);
  }

  /** What a caller sees of an answer that may not have been given to him. */
  function asSeen(answer: UpstreamResponse, { headers }: UpstreamRequest, sent: HeaderList): UpstreamResponse {
    if (authority.kind === 'own') return { ...answer, headers: withoutSession(answer.headers) };
    const isHis = headerValue(sent, 'Authorization') === headerValue(headers, 'Authorization');
    return isHis ? answer : { ...answer, headers: withoutSession(answer.headers), asNobody: true };
  }

  async function attempt(asked: UpstreamRequest, fields: HeaderList): Promise<UpstreamResponse> {
    const { redirects = 'follow', method, body, signal } = asked;
    const started = performance.now();
    const headers = withHeader(forwardableHeaders(fields), 'Accept-Encoding', 'identity');
    let hop: Hop = {
      origin,
      path: basePath + asked.path,
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    };
    for (let followed = 0; ; followed += 1) {
      const answer = await answerOf(hop, followed === 0, asked);
      if (!isRedirect(hop.method, answer) || !mayFollow(redirects, hop, answer)) {
        const redirected = followed > 0;
        const seconds = (performance.now() - started) / 1000;
        onAnswer?.({
          upstream: name,
          method: hop.method,
          origin: hop.origin,
          status: answer.status,
          seconds,
          redirected,
        });
        return { ...answer, redirected };
      }
      drain(answer.body);
      if (followed === MAX_REDIRECTS) throw tooManyRedirects(who, hop);
      hop = redirectTarget(who, hop, answer, addresses.allowsHost);
    }
  }
  const limit = maxRequestBody === undefined ? {} : { maxRequestBody };
  return {
    name,
    origin,
    basePath,
    ...limit,
    ...(connections.agentFor && { agentFor: connections.agentFor }),
    authority: authority.kind,
    hasAccount: credentials.kind === 'login' || credentials.kind === 'helper',
    authorize: authority.authorize,
    tokenServices: authority.tokenServices,
    addresses,
    timeouts: wanted,
    request,
    retire: () => wire.agent.close(),
    close: () => wire.agent.destroy(),
  };
}

/** The name of a host that was written with or without its scheme and port. */
function hostnameOf(text: string): string {
  return new URL(text.includes('://') ? text : `http://${text}`).hostname;
}

/**
 * Sends a hop. When the server closes a connection that had served before, it may have done so before it saw the request:
 * then a request that changes nothing is sent once more (RFC 9112, section 9.3.1).
 */
async function ask(wire: Wire, hop: Hop, who: string): Promise<HopAnswer> {
  const translate = (error: unknown) => unavailable(who, error);
  try {
    return await send(wire, hop, translate);
  } catch (error) {
    if ((hop.method !== 'GET' && hop.method !== 'HEAD') || !closedAfterUse(error)) throw error;
    return send(wire, hop, translate);
  }
}

/** A HEAD in the form that storage allows whose URLs are signed for GET; the answer as that HEAD would have had it. */
async function askFirstByte(wire: Wire, hop: Hop, who: string, refused: HopAnswer): Promise<HopAnswer> {
  drain(refused.body);
  const answer = await ask(wire, { ...hop, method: 'GET', headers: withHeader(hop.headers, ...FIRST_BYTE) }, who);
  answer.body.destroy();
  return headOfFirstByte(answer);
}

function closedAfterUse(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof errors.SocketError && (cause.socket?.bytesRead ?? 0) > 0;
}

/** Reads a short body to its end in the background and destroys a long one. */
function drain(body: Readable): void {
  let size = 0;
  body.on('data', (chunk: Uint8Array) => {
    size += chunk.byteLength;
    if (size > MAX_DRAINED_BYTES) body.destroy();
  });
  body.on('error', () => {});
}
