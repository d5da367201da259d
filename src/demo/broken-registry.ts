import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getManifest, getManifestFromGitlab, putManifest } from './broken-manifests.ts';
import { finishUpload, openSession, redirectToSlash } from './broken-uploads.ts';
import { type RegistryAnswer, type RegistryRequest, type Repository, refusal } from './message.ts';

/** The software whose defects a registry has: docker-registry 2.8, or GitLab's before its type detection was repaired. */
type Software = 'docker-registry' | 'gitlab';

export interface BrokenRegistry {
  readonly url: string;
  repository(name: string): Repository;
  stop(): Promise<void>;
}

/** Starts a small registry on loopback that keeps everything in memory and fails in the ways of the real one. */
export async function startBrokenRegistry(software: Software): Promise<BrokenRegistry> {
  const repositories = new Map<string, Repository>();
  const repository = (name: string): Repository => {
    const known = repositories.get(name) ?? { name, blobs: new Map(), manifests: new Map(), sessions: new Set() };
    repositories.set(name, known);
    return known;
  };
  const server = createServer(async (incoming, outgoing) => {
    send(outgoing, answer(software, repository, await read(incoming)));
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

function answer(
  software: Software,
  repository: (name: string) => Repository,
  request: RegistryRequest,
): RegistryAnswer {
  const [, name, kind, last = ''] =
    /^\/v2\/(.+?)\/(manifests|blobs\/uploads|blobs)(?:\/(.*))?$/.exec(request.path) ?? [];
  if (name === undefined)
    return { status: 404, headers: { 'Content-Type': 'text/plain' }, body: Buffer.from('404 page not found\n') };
  const there = repository(name);
  if (kind === 'manifests') {
    if (request.method === 'PUT') return putManifest(there, last, request);
    return software === 'gitlab' ? getManifestFromGitlab(there, last) : getManifest(there, last, request);
  }
  if (kind === 'blobs') return getBlob(there, last);
  if (request.method === 'PUT') return finishUpload(there, last, request);
  return request.path.endsWith('/') ? openSession(there, request) : redirectToSlash(there);
}

function getBlob({ blobs }: Repository, digest: string): RegistryAnswer {
  const bytes = blobs.get(digest);
  if (bytes === undefined) return refusal(404, 'BLOB_UNKNOWN', 'blob unknown to registry', digest);
  return {
    status: 200,
    headers: { 'Content-Type': 'application/octet-stream', 'Docker-Content-Digest': digest },
    body: bytes,
  };
}

async function read(incoming: IncomingMessage): Promise<RegistryRequest> {
  const { method = 'GET', url = '/', headers } = incoming;
  const mark = `${url}?`.indexOf('?');
  const body = Buffer.concat(await Array.fromAsync(incoming as AsyncIterable<Buffer>));
  return { method, path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)), headers, body };
}

function send(outgoing: ServerResponse, { status, headers = {}, body = new Uint8Array() }: RegistryAnswer): void {
  outgoing.writeHead(status, {
    'Docker-Distribution-Api-Version': 'registry/2.0',
    ...headers,
    'Content-Length': String(body.length),
  });
  outgoing.end(outgoing.req.method === 'HEAD' ? undefined : body);
}
