import { Agent, buildConnector, Pool } from 'undici';
import { openFileLimit } from '../lib/open-file-limit.ts';
import type { AddressCheck } from './address-check.ts';
import type { Connections } from './connections.ts';
import { createReceiveBuffers } from './receive-buffers.ts';
import type { Wire } from './send.ts';
import type { OpenConnection } from './tunnel.ts';

/** In milliseconds. */
export interface UpstreamTimeouts {
  /** Until the connection stands, TLS included. */
  readonly connect: number;
  /** From the request to the end of the header fields. */
  readonly headers: number;
  /** Without a byte of the body, while somebody wants one. */
  readonly stall: number;
  /** For an answer about something that is known here already, before that is given instead. */
  readonly revalidate: number;
  /** Without a byte in either direction, for what changes something there. */
  readonly change: number;
}

export const DEFAULT_TIMEOUTS: UpstreamTimeouts = {
  connect: 5_000,
  headers: 20_000,
  stall: 60_000,
  revalidate: 1_500,
  change: 120_000,
};

/** To one origin. Idle ones must not be missing for the connections of clients where descriptors are few. */
const MAX_CONNECTIONS = Math.min(64, Math.ceil(openFileLimit() / 16));

/** HTTP/1.1 without pipelining: header names keep their capitals, and one slow body never holds up another answer. */
export function createWire(
  { connect, headers, stall }: UpstreamTimeouts,
  { lookup }: AddressCheck,
  { contextFor, open }: Connections,
): Wire {
  const buffers = createReceiveBuffers();
  const agent = new Agent({
    factory(origin, options) {
      const secureContext = contextFor(String(origin));
      const connector =
        open === undefined
          ? buildConnector({
              onread: buffers.onread,
              lookup,
              allowH2: false,
              timeout: connect,
              ...(secureContext && { secureContext }),
            })
          : opening(open, String(origin));
      return new Pool(origin, { ...options, connect: withAlerts(connector) });
    },
    allowH2: false,
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    headersTimeout: headers,
    bodyTimeout: stall,
    maxHeaderSize: 65_536,
  });
  return { agent, buffers };
}

function opening(open: OpenConnection, origin: string): buildConnector.connector {
  return (_options, done) => {
    open(origin).then(
      (socket) => done(null, socket),
      (error: Error) => done(error, null),
    );
  };
}

/**
 * In TLS 1.3 a server refuses a client's certificate after the handshake. Node reports its alert without closing the socket, and
 * undici would take the end that follows for the reason.
 */
function withAlerts(connector: buildConnector.connector): buildConnector.connector {
  return (options, done) =>
    connector(options, (...outcome) => {
      const [, socket] = outcome;
      socket?.once('error', (error) => socket.destroy(error));
      done(...outcome);
    });
}
