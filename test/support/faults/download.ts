import { createHash } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { within } from '../deadline.ts';
import { type HeaderList, headerList, headerValue } from '../headers.ts';

export interface DownloadRequest {
  /** Path and query, sent as they are. */
  readonly target: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `whole`: the body came to its announced end. `cut`: it broke off. `none`: the connection ended without an answer. */
export type DownloadEnd = 'whole' | 'cut' | 'none';

/** An answer as it arrives on a connection of its own. */
export interface Download {
  readonly asked: DownloadRequest;
  /** 0 without an answer. */
  readonly status: number;
  readonly headers: HeaderList;
  header(name: string): string | undefined;
  readonly length: number;
  /** All of the body so far. */
  body(): Buffer;
  /** sha256 of the body so far. */
  digest(): string;
  /** Settles when that many bytes are here, or no more will come. */
  received(bytes: number): Promise<void>;
  readonly ended: Promise<DownloadEnd>;
  pause(): void;
  resume(): void;
  /** Goes away without reading the rest. */
  leave(): void;
}

const PATIENCE = 100_000;

/** Asks, and resolves with the head of the answer, or with status 0 when the connection ends without one. */
export async function openDownload(origin: string, asked: DownloadRequest): Promise<Download> {
  const { hostname, port } = new URL(origin);
  const { promise, resolve } = Promise.withResolvers<IncomingMessage | undefined>();
  const { target, method = 'GET', headers = {} } = asked;
  const outgoing = request({ hostname, port, path: target, method, headers, agent: false }, resolve);
  outgoing.on('error', () => undefined);
  outgoing.once('close', () => resolve(undefined));
  outgoing.end();
  return follow(asked, await within(`an answer to ${method} ${target}`, promise, PATIENCE));
}

function follow(asked: DownloadRequest, incoming: IncomingMessage | undefined): Download {
  const chunks: Buffer[] = [];
  const hash = createHash('sha256');
  const waiting = new Set<() => void>();
  const { promise: ended, resolve: end } = Promise.withResolvers<DownloadEnd>();
  const fields: HeaderList = headerList(incoming?.rawHeaders ?? []);
  let length = 0;
  incoming?.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    hash.update(chunk);
    length += chunk.length;
    for (const look of waiting) look();
  });
  incoming?.on('error', () => undefined);
  incoming?.once('close', () => end(incoming.complete ? 'whole' : 'cut'));
  if (incoming === undefined) end('none');
  const endedInTime = within(`the end of ${asked.target}`, ended, PATIENCE);
  // A test may never ask for the end.
  endedInTime.catch(() => undefined);
  return {
    asked,
    status: incoming?.statusCode ?? 0,
    headers: fields,
    header: (name) => headerValue(fields, name),
    get length() {
      return length;
    },
    body: () => Buffer.concat(chunks),
    digest: () => `sha256:${hash.copy().digest('hex')}`,
    async received(bytes) {
      const enough = new Promise<void>((resolve) => {
        waiting.add(() => length >= bytes && resolve());
        if (length >= bytes) resolve();
      });
      await within(`${bytes} bytes of ${asked.target}`, Promise.race([enough, ended]), PATIENCE);
    },
    ended: endedInTime,
    pause: () => void incoming?.pause(),
    resume: () => void incoming?.resume(),
    leave: () => void incoming?.destroy(),
  };
}
