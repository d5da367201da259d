import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { headerListFromRaw, headerValues } from '../domain/headers.ts';
import type { RegistryAnswer, RegistryRequest, Repository } from './message.ts';

export interface BrokenRegistry {
  readonly url: string;
  repository(name: string): Repository;
  stop(): Promise<void>;
}

/** How a registry answers; it finds what it keeps by the repository's name. */
export type Behaviour = (request: RegistryRequest, repository: (name: string) => Repository) => RegistryAnswer;

/** Starts a small registry on loopback that keeps everything in memory and answers as it is told, right or wrong. */
export async function startBrokenRegistry(behaviour: Behaviour): Promise<BrokenRegistry> {
  const repositories = new Map<string, Repository>();
  const repository = (name: string): Repository => {
    const known = repositories.get(name) ?? { name, blobs: new Map(), manifests: new Map(), sessions: new Map() };
    repositories.set(name, known);
    return known;
  };
  const server = createServer(async (incoming, outgoing) => {
    send(outgoing, behaviour(await read(incoming), repository));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // A listening TCP server has an AddressInfo; strings are for pipes.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    repository,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function read(incoming: IncomingMessage): Promise<RegistryRequest> {
  const { method = 'GET', url = '/', headers } = incoming;
  const mark = `${url}?`.indexOf('?');
  const body = Buffer.concat(await Array.fromAsync(incoming as AsyncIterable<Buffer>));
  return {
    method,
    path: url.slice(0, mark),
    query: new URLSearchParams(url.slice(mark + 1)),
    headers,
    acceptLines: headerValues(headerListFromRaw(incoming.rawHeaders), 'Accept'),
    body,
  };
}

function send(outgoing: ServerResponse, { status, headers = {}, body = new Uint8Array() }: RegistryAnswer): void {
  const length = 'Transfer-Encoding' in headers ? {} : { 'Content-Length': String(body.length) };
  outgoing.writeHead(status, { ...length, ...headers });
  outgoing.end(outgoing.req.method === 'HEAD' ? undefined : body);
}
