import type { Agent } from 'node:http';
import { type UpstreamCredentials, withoutSession } from '../domain/credentials.ts';
import { type HeaderList, headerValue } from '../domain/headers.ts';
import { isOneSite } from '../domain/realm.ts';
import { type AddressCheck, createAddressCheck } from './address-check.ts';
import { ask, drain } from './ask.ts';
import { type Authority, createAuthority } from './authority.ts';
import { type ConnectionOptions, createConnections } from './connections.ts';
import { createFollower } from './follow.ts';
import type { UpstreamAnswered, UpstreamRequest, UpstreamResponse, UpstreamTurn } from './messages.ts';
import { createWire, DEFAULT_TIMEOUTS, type UpstreamTimeouts } from './wire.ts';

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
  readonly onTurn?: (turn: UpstreamTurn) => void;
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
    onTurn,
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
  const { allowsHost } = addresses;
  const follow = createFollower({ name, who, origin, basePath, wire, allowsHost, onAnswer });
  const authority = createAuthority({
    who,
    origin,
    realms,
    credentials,
    tokenTimeout: wanted.headers / 2,
    isVisited: tokensOf !== undefined && !isOneSite(hostnameOf(tokensOf), hostnameOf(url)),
    send: (hop) => ask(wire, hop, `${hop.origin}, where the registry ${name} gives out tokens,`),
    // `/v2/` is where registries say what they want (distribution-spec, "Determining Support").
    probe: () => follow({ method: 'GET', path: '/v2/', headers: [] }, []),
    onTurn: (service, reason) => onTurn?.({ upstream: name, origin: service, reason }),
  });

  async function request(asked: UpstreamRequest): Promise<UpstreamResponse> {
    const headers = await authority.authorize(asked);
    const answer = await follow(asked, headers);
    const renewed = answer.status === 401 ? await authority.authorize(asked, { sent: headers, answer }) : headers;
    if (renewed === headers) return asSeen(answer, asked, headers);
    drain(answer.body);
    return asSeen(await follow(asked, renewed), asked, renewed);
  }

  /** What a caller sees of an answer that may not have been given to him. */
  function asSeen(answer: UpstreamResponse, { headers }: UpstreamRequest, sent: HeaderList): UpstreamResponse {
    if (authority.kind === 'own') return { ...answer, headers: withoutSession(answer.headers) };
    const isHis = headerValue(sent, 'Authorization') === headerValue(headers, 'Authorization');
    return isHis ? answer : { ...answer, headers: withoutSession(answer.headers), asNobody: true };
  }

  return {
    name,
    origin,
    basePath,
    ...(maxRequestBody === undefined ? {} : { maxRequestBody }),
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
