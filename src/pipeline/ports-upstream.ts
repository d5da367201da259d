import type { Agent } from 'node:http';
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import type { HeaderList } from '../domain/headers.ts';

/** One request to a registry. `path` starts with `/v2/` and carries the query. */
export interface UpstreamRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers: HeaderList;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
  /** `pass` returns a redirect as it is, `own` follows those that stay on the registry's origin; default `follow`. */
  readonly redirects?: 'follow' | 'own' | 'pass';
  /** Whether a HEAD that another origin refuses is sent there as a GET of the first byte. */
  readonly probeStorage?: boolean;
  /** `wait` waits a 429 out as far as clients bear it; default `pass`. */
  readonly throttled?: 'wait' | 'pass';
}

/** What to expect of a question to a registry. */
export interface Outlook {
  /** False when it would not be answered: the registry fails, keeps silent or limits requests. */
  readonly ask: boolean;
  /** How long whoever has an older answer should wait for a new one, in milliseconds. */
  readonly patience: number;
  /** The part that is left of the requests that it allows, from 0 to 1, where it tells. */
  readonly budget?: number;
}

/** How long a request that is sent by other means may take, in milliseconds. */
export interface ForwardTimeouts {
  /** Until the connection stands. */
  readonly connect: number;
  /** Until the header fields of an answer to a GET or HEAD are in. */
  readonly headers: number;
  /** Without a byte of its body. */
  readonly stall: number;
  /** Without a byte in either direction, for everything that changes something. */
  readonly change: number;
}

/** Decides to which addresses a registry may send manifix; a request that is sent by other means has to heed it, too. */
export interface AddressCheck {
  /** Whether this host of a URL may be asked at all; names are checked again when they are resolved. */
  allowsHost(hostname: string): boolean;
  /** Resolves names for connections, and fails for those that are not allowed. */
  readonly lookup: LookupFunction;
}

/** The final answer, after redirects. Whoever gets it reads `body` to its end or destroys it. */
export interface UpstreamResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Readable;
  /** Whether a redirect was followed to get here. */
  readonly redirected: boolean;
  /** Whether this is the answer to a GET of the first byte in place of a HEAD, put as the HEAD's. */
  readonly probed?: boolean;
  /** For how long 429s were waited out, in milliseconds. */
  readonly waited?: number;
}

/** A request that the registry answered 401, and the fields that it was sent with. */
export interface RefusedRequest {
  readonly sent: HeaderList;
  readonly answer: { readonly headers: HeaderList };
}

/**
 * A registry. `request` follows redirects of GET and HEAD and drops credentials on a change of origin; it rejects with a
 * RegistryError (code UNAVAILABLE, status 502 or 504, the cause kept) when no answer comes.
 */
export interface Upstream {
  readonly name: string;
  /** `scheme://host:port`, without a path. */
  readonly origin: string;
  /** Path in front of `/v2/`, without a trailing slash; usually empty. */
  readonly basePath: string;
  /** The most bytes of a body that the registry takes, where an operator said so. */
  readonly maxRequestBody?: number;
  /** Whose right counts there: that of each caller, or one that manifix has of its own, be it that of nobody. */
  readonly authority: 'caller' | 'own';
  /** Whether it knows manifix by an account, which it may refuse for reasons that say nothing about content. */
  readonly hasAccount: boolean;
  readonly addresses: AddressCheck;
  /**
   * The fields with which a request that is sent by other means, because its body streams, may go to the registry. After a
   * 401 those to try once more, or the very same list when there is nothing else to try. `path` starts with `/v2/`.
   */
  authorize(
    request: Pick<UpstreamRequest, 'path' | 'headers'> & { method: string },
    refused?: RefusedRequest,
  ): Promise<HeaderList>;
  readonly timeouts: ForwardTimeouts;
  /** The connections for what is sent to an origin by other means. Absent where they need nothing special. */
  readonly agentFor?: (origin: string) => Agent;
  request(request: UpstreamRequest): Promise<UpstreamResponse>;
  /** Told of requests that were sent by other means and answered, with the bytes of their bodies. `request` counts its own. */
  readonly spent?: (repository: string, requests: number, bytes: number) => void;
  /** Nothing is asked to tell it. */
  outlook(method: 'GET' | 'HEAD', headers: HeaderList): Outlook;
}
