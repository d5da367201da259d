import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { listenOnLoopback } from '../../test/support/ports.ts';
import { createBlobGenerator, type GeneratedBlob } from '../data/blob.ts';
import { createTokenBucket } from './token-bucket.ts';

// The registry that caches are filled from: blobs made from a seed, sent from memory over a link of a given speed, and
// every request counted. POST /bench/blobs?seed=&size= adds a blob, GET /bench/gets tells how often each was asked for.

const { values } = parseArgs({ options: { 'bytes-per-second': { type: 'string', default: '0' } } });
const link = createTokenBucket(Number(values['bytes-per-second']));
const generate = createBlobGenerator();
const blobs = new Map<string, GeneratedBlob>();
const gets: Record<string, number> = {};
const CHUNK = 128 * 1024;

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});
const port = await listenOnLoopback(server);
process.once('SIGTERM', () => process.exit(0));
process.stdout.write(`listening on http://127.0.0.1:${port}\n`);

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://upstream');
  if (url.pathname === '/bench/blobs') return sendJson(response, { digest: add(url.searchParams) });
  if (url.pathname === '/bench/gets') return sendJson(response, gets);
  if (url.pathname === '/v2/') return sendJson(response, {});
  const digest = url.pathname.split('/').at(-1) ?? '';
  const blob = blobs.get(digest);
  if (blob === undefined || !url.pathname.includes('/blobs/')) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, [
    ...['Content-Type', 'application/octet-stream', 'Content-Length', String(blob.size)],
    ...['Docker-Content-Digest', digest, 'ETag', `"${digest}"`, 'Docker-Distribution-Api-Version', 'registry/2.0'],
  ]);
  if (request.method === 'GET') {
    gets[digest] = (gets[digest] ?? 0) + 1;
    await send(response, blob);
  }
  response.end();
}

function add(query: URLSearchParams): string {
  const blob = generate(Number(query.get('seed')), Number(query.get('size')));
  const digest = blob.digest();
  blobs.set(digest, blob);
  return digest;
}

async function send(response: ServerResponse, blob: GeneratedBlob): Promise<void> {
  for (let position = 0; position < blob.size; ) {
    const chunk = blob.slice(position, CHUNK);
    await link.take(chunk.length);
    await new Promise<void>((resolve, reject) => {
      response.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
    position += chunk.length;
  }
}

function sendJson(response: ServerResponse, content: object): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Docker-Distribution-Api-Version': 'registry/2.0' });
  response.end(JSON.stringify(content));
}
