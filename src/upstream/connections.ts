import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { TlsIdentities } from '../lib/certificate.ts';

/** What holds for every connection that serves a registry. */
export interface ConnectionOptions {
  readonly tls?: TlsIdentities;
}

/** How a registry, and the places that it leads to, are reached. */
export interface Connections {
  /** Undefined where Node's own context will do. */
  contextFor(origin: string): SecureContext | undefined;
  /** For requests that are sent by Node's client. Absent where its connections need nothing special. */
  readonly agentFor?: (origin: string) => Agent;
}

/**
 * The authorities hold for all places. The client's certificate is a credential, and as such it belongs to the registry's own
 * origin alone.
 */
export function createConnections(own: string, { tls }: ConnectionOptions): Connections {
  if (tls === undefined) return { contextFor: () => undefined };
  const { ca, client } = tls;
  // A registry of a private authority may still keep its blobs at a store with a public one.
  const trusted = ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] };
  const elsewhere = createSecureContext(trusted);
  const there = client === undefined ? elsewhere : createSecureContext({ ...trusted, ...client });
  const contextFor = (origin: string) => (origin === own ? there : elsewhere);
  return {
    contextFor,
    agentFor: (origin) =>
      origin.startsWith('https:') ? new SecureAgent({ secureContext: contextFor(origin) }) : new Agent(),
  };
}
