import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { HttpProxy } from '../domain/http-proxy.ts';
import type { TlsIdentities } from '../lib/certificate.ts';
import type { AddressCheck } from './address-check.ts';
import { createTunnels, type OpenConnection } from './tunnel.ts';

/** What holds for every connection that serves a registry. */
export interface ConnectionOptions {
  readonly tls?: TlsIdentities;
  /** Where all of them go through. */
  readonly proxy?: HttpProxy;
}

/** How a registry, and the places that it leads to, are reached. */
export interface Connections {
  /** Undefined where Node's own context will do. */
  contextFor(origin: string): SecureContext | undefined;
  /** Absent where connections lead straight to their origin. */
  readonly open?: OpenConnection;
  /** For requests that are sent by Node's client. Absent where its connections need nothing special. */
  readonly agentFor?: (origin: string) => Agent;
}

/** @param connectTimeout in milliseconds */
export function createConnections(
  own: string,
  { tls, proxy }: ConnectionOptions,
  { allowsHost }: Pick<AddressCheck, 'allowsHost'>,
  connectTimeout: number,
): Connections {
  const contextFor = tls === undefined ? () => undefined : contextsOf(own, tls);
  if (proxy !== undefined) {
    const open = createTunnels({ proxy, timeout: connectTimeout, contextFor, allowsHost });
    return { contextFor, open, agentFor: (origin) => agentThat(open, origin) };
  }
  if (tls === undefined) return { contextFor };
  return {
    contextFor,
    agentFor: (origin) =>
      origin.startsWith('https:') ? new SecureAgent({ secureContext: contextFor(origin) }) : new Agent(),
  };
}

/**
 * The authorities hold for all places. The client's certificate is a credential, and as such it belongs to the registry's own
 * origin alone.
 */
function contextsOf(own: string, { ca, client }: TlsIdentities): (origin: string) => SecureContext {
  // A registry of a private authority may still keep its blobs at a store with a public one.
  const trusted = ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] };
  const elsewhere = createSecureContext(trusted);
  const there = client === undefined ? elsewhere : createSecureContext({ ...trusted, ...client });
  return (origin) => (origin === own ? there : elsewhere);
}

function agentThat(open: OpenConnection, origin: string): Agent {
  const agent = origin.startsWith('https:') ? new SecureAgent() : new Agent();
  agent.createConnection = (_options, done) => {
    open(origin).then(
      (socket) => done?.(null, socket),
      // Node's types want a connection even where there is none.
      (error: Error) => (done as undefined | ((error: Error) => void))?.(error),
    );
    return undefined;
  };
  return agent;
}
