import type { Server, ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Server as TlsServer } from 'node:tls';
import { RegistryError } from '../domain/errors.ts';
import { systemClock } from '../lib/clock.ts';
import { memoryLimit } from '../lib/memory-limit.ts';
import { openFileLimit } from '../lib/open-file-limit.ts';
import { forgetCertificate } from './client-certificate.ts';
import { readSendQueues } from './send-queues.ts';
import { watchSlowReaders } from './slow-readers.ts';

export interface ConnectionLimits {
  /** Connections whose requests are served. */
  readonly served: number;
  /** Those beyond `served` are told to come back; those beyond this are closed at once. */
  readonly accepted: number;
}

/** What happened to connections since the start. */
export interface ConnectionFigures {
  readonly open: number;
  /** Answered 503. */
  readonly refused: number;
  /** Closed without an answer. */
  readonly dropped: number;
  /** Cut because the client read too slowly while memory was short. */
  readonly slow: number;
}

/** The server that clients talk to, over TLS or not. */
export type EdgeServer = Server | SecureServer;

/** The connections of one server. */
export interface Connections {
  /** Starts to count and to limit them. */
  guard(server: EdgeServer): void;
  /** Whether a request on this connection waits for the end of its answer. */
  isAnswerDue(socket: Duplex): boolean;
  /** Whether an answer on this connection may have begun and has not left whole. */
  isAnswering(socket: Duplex): boolean;
  /** Whether requests on this connection are not served. */
  isRefused(socket: Duplex): boolean;
  /** Certificates of clients count again on new connections only. */
  forgetCertificates(): void;
  figures(): ConnectionFigures;
}

/** What every connection costs in memory sets an end where descriptors do not. */
const MOST_SERVED = 20_000;
/** Requests of one connection that wait for the same registry would be bounded by nothing else. Hardly any client sends two. */
const MOST_UNANSWERED = 100;
/** A flood must not make each of its connections look at all others. */
const CLOSE_IDLE_EVERY = 100;

/**
 * Half of the descriptors, but not more than 1,024, are kept for files, for connections to registries and for those that are
 * told to come back.
 */
export function connectionLimits(openFiles: number): ConnectionLimits {
  const served = Math.min(openFiles - Math.min(openFiles / 2, 1024), MOST_SERVED);
  return { served: Math.floor(served), accepted: Math.floor(served + Math.min(openFiles / 4, 512)) };
}

/** Counts connections and keeps their number within the limits, by default those that the process's descriptors allow. */
export function createConnections(limits: ConnectionLimits = connectionLimits(openFileLimit())): Connections {
  const open = new Set<Socket>();
  const refused = new WeakSet<Duplex>();
  const latest = new WeakMap<Duplex, ServerResponse>();
  const pipelined = new WeakMap<Duplex, ServerResponse[]>();
  let closedIdleAt = Number.NEGATIVE_INFINITY;
  const counts = { refused: 0, dropped: 0, slow: 0 };

  function connected(socket: Socket): void {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (open.size > limits.served) closeIdle();
    if (open.size > limits.served) refuse(socket);
  }

  function refuse(socket: Duplex): void {
    refused.add(socket);
    counts.refused += 1;
  }

  /** Answers leave in the order of requests. Those that say no are held, too, and Node reads no more when they are many. */
  function requested(socket: Duplex, outgoing: ServerResponse): void {
    const before = latest.get(socket);
    latest.set(socket, outgoing);
    if (before?.writableFinished !== false || refused.has(socket)) return;
    const unanswered = pipelined.get(socket) ?? [];
    while (unanswered[0]?.writableFinished === true) unanswered.shift();
    pipelined.set(socket, unanswered);
    if (unanswered.push(before) >= MOST_UNANSWERED) refuse(socket);
  }

  /**
   * Connections that are kept alive after an answer make room for new ones. (Node's closeIdleConnections takes a connection for
   * idle, too, whose first request is on its way.)
   */
  function closeIdle(): void {
    if (performance.now() - closedIdleAt < CLOSE_IDLE_EVERY) return;
    closedIdleAt = performance.now();
    for (const socket of open) {
      if (latest.get(socket)?.writableFinished !== true) continue;
      open.delete(socket);
      socket.destroy();
    }
  }

  function watch(server: EdgeServer): () => void {
    const mark = memoryLimit() / 2;
    return watchSlowReaders({
      clock: systemClock,
      connections: open,
      isMemoryShort: () => process.memoryUsage.rss() > mark,
      // A TCP server that has connections has an AddressInfo.
      sendQueues: () => readSendQueues((server.address() as AddressInfo).port),
      onCut: () => {
        counts.slow += 1;
      },
    });
  }

  return {
    guard(server) {
      server.maxConnections = limits.accepted;
      // With TLS, requests come on the socket that decrypts, which there is after the handshake.
      server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', connected);
      server.prependListener('request', ({ socket }, outgoing) => requested(socket, outgoing));
      server.on('drop', () => {
        counts.dropped += 1;
      });
      server.once('listening', () => server.once('close', watch(server)));
    },
    isAnswerDue: (socket) => latest.get(socket)?.writableFinished === false,
    isAnswering(socket) {
      const answer = latest.get(socket);
      return answer?.writableFinished === false && (answer.headersSent || pipelined.has(socket));
    },
    isRefused: (socket) => refused.has(socket),
    forgetCertificates: () => open.forEach(forgetCertificate),
    figures: () => ({ open: open.size, ...counts }),
  };
}

/** What a client hears that came on one connection, or with one request, too many. */
export function tooManyConnections(): RegistryError {
  return new RegistryError('UNAVAILABLE', {
    explanation: 'manifix has as many connections, or requests on this one, as it can serve. Try again in a moment.',
    headers: [
      ['Retry-After', '1'],
      ['Connection', 'close'],
    ],
  });
}
