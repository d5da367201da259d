import { type IncomingMessage, request } from 'node:http';
import { headerListFromRaw } from '../domain/headers.ts';
import type { HostPort } from '../lib/address.ts';
import { readBody } from '../lib/read-body.ts';
import type { Ask } from './clients.ts';
import type { Answer } from './seen.ts';

/** More than any manifest that is served whole. */
const MAX_BODY = 16 * 1024 * 1024;
/** Longer than manifix waits for a registry. */
const TIMEOUT = 120_000;

/** Asks a manifix on loopback under the host name and with the credentials of a client. */
export function askLoopback({ host, port }: HostPort, hostField: string, authorization: string | undefined): Ask {
  return async ({ method, target, headers }) => {
    const credentials = authorization === undefined ? [] : ['Authorization', authorization];
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sent = ['Host', hostField, ...headers.flat(), ...credentials];
    const signal = AbortSignal.timeout(TIMEOUT);
    request({ host, port, method, path: target, headers: sent, agent: false, signal }, resolve)
      .on('error', reject)
      .end();
    const incoming = await promise;
    const body = await readBody(incoming, MAX_BODY);
    const answer: Answer = {
      status: incoming.statusCode ?? 0,
      headers: headerListFromRaw(incoming.rawHeaders),
      body: body === 'too-large' ? new Uint8Array() : body,
    };
    return answer;
  };
}
