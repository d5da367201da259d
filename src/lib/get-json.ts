import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { getCACertificates } from 'node:tls';
import { readBody } from './read-body.ts';

/** Fetches a JSON document. Rejects with a sentence about what came instead. */
export type GetJson = (url: string, ca?: Uint8Array, lookup?: LookupFunction) => Promise<unknown>;

const TIMEOUT = 5_000;
const MAX_SIZE = 256 * 1024;

/**
 * Fetches it in one request: no redirects, no proxies, not long and not much. `ca`: authorities besides those that Node knows.
 * `lookup` resolves the name.
 */
export const getJson: GetJson = async (url, ca, lookup) => {
  const isSecure = url.startsWith('https:');
  const options = {
    headers: { Accept: 'application/json' },
    signal: AbortSignal.timeout(TIMEOUT),
    ...(lookup === undefined ? {} : { lookup }),
    ...(isSecure && ca !== undefined ? { ca: [...getCACertificates('default'), Buffer.from(ca)] } : {}),
  };
  const asking = (isSecure ? secureRequest : request)(url, options);
  asking.end();
  // The event comes with its message.
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  try {
    if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}`);
    const bytes = await readBody(answer, MAX_SIZE);
    if (bytes === 'too-large') throw new Error(`${url} answered with more than 256 KiB`);
    return JSON.parse(Buffer.from(bytes).toString());
  } finally {
    answer.destroy();
  }
};
