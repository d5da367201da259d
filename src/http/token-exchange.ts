import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HeaderList } from '../domain/headers.ts';
import type { Answer, Exchange } from '../pipeline/exchange.ts';
import type { TrustCheck } from './client.ts';
import type { Reached } from './endpoint-routes.ts';

/** A request for a token, whose scopes have the client's names. */
export interface TokenRequest {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** In origin form. */
  readonly url: string;
  readonly headers: HeaderList;
  /** The client's Host, in lower case. */
  readonly host: string;
  readonly applied: Exchange['applied'];
  readonly trusts: TrustCheck;
  /** What becomes known of whose request it is, for the log and the usage. */
  readonly seen: { endpoint: string; user?: string | undefined };
}

/**
 * Where clients of an endpoint fetch tokens. Without a namespace the names in the scopes tell the endpoint, because clients
 * learn this address from `/v2/`, before they say which repository they want.
 */
export function tokenRealm(clientOrigin: string, { endpoint, namespace }: Reached): string {
  return namespace === undefined ? `${clientOrigin}/token` : `${clientOrigin}/token/${endpoint.name}`;
}

/** An answer to a request for a token, whose body is there as a whole. */
export type TokenAnswer = Answer & { readonly body: { readonly kind: 'bytes'; readonly bytes: Uint8Array } };

export function tokenAnswer(status: number, headers: HeaderList, bytes: Uint8Array): TokenAnswer {
  return {
    status,
    headers: [...headers, ['Content-Length', String(bytes.length)]],
    body: { kind: 'bytes', bytes },
    cache: 'bypass',
  };
}
