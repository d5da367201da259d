import { type IncomingMessage, request } from 'node:http';
import { headerListFromRaw } from '../domain/headers.ts';
import type { HostPort } from '../lib/address.ts';
import { getJson } from '../lib/get-json.ts';
import { readBody } from '../lib/read-body.ts';
import type { AddressCheck } from '../pipeline/ports-upstream.ts';
import type { Ask } from './clients.ts';
import type { Answer, ClientRequest } from './seen.ts';
import { type AskRealm, tokenFor } from './token-dance.ts';

/** More than any manifest that is served whole. */
const MAX_BODY = 16 * 1024 * 1024;
/** Longer than manifix waits for a registry. */
const TIMEOUT = 120_000;

/** Who asks, and how far the registry's word leads. */
export interface LoopbackClient {
  /** The Host field of the requests. */
  readonly host: string;
  readonly authorization: string | undefined;
  /** Where the registry may lead manifix; nowhere without it. */
  readonly addresses: AddressCheck | undefined;
}

/**
 * Asks a manifix on loopback under the host name and with the credentials of a client, and fetches a token when one is wanted,
 * as every client does. All questions are about one repository, so that one token serves them.
 */
export function askLoopback({ host, port }: HostPort, client: LoopbackClient): Ask {
  const { authorization: basic, addresses } = client;
  let known = basic;

  async function send(asked: ClientRequest, authorization: string | undefined): Promise<Answer> {
    const credentials = authorization === undefined ? [] : ['Authorization', authorization];
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const headers = ['Host', client.host, ...asked.headers.flat(), ...credentials];
    const signal = AbortSignal.timeout(TIMEOUT);
    request({ host, port, method: asked.method, path: asked.target, headers, agent: false, signal }, resolve)
      .on('error', reject)
      .end();
    const incoming = await promise;
    const body = await readBody(incoming, MAX_BODY);
    return {
      status: incoming.statusCode ?? 0,
      headers: headerListFromRaw(incoming.rawHeaders),
      body: body === 'too-large' ? new Uint8Array() : body,
    };
  }

  /** Where manifix is the realm, it is this one: the name may lead to the running manifix, or nowhere. */
  const realm: AskRealm = async (url, authorization) => {
    if (url.origin !== new URL(`http://${client.host}`).origin) return askElsewhere(url, addresses);
    const answer = await send({ method: 'GET', target: url.pathname + url.search, headers: [] }, authorization);
    return answer.status === 200 ? Buffer.from(answer.body).toString() : undefined;
  };

  return async (asked) => {
    const answer = await send(asked, known);
    const token = answer.status === 401 ? await tokenFor(answer.headers, basic, realm) : undefined;
    if (token === undefined) return answer;
    known = token;
    return send(asked, token);
  };
}

/**
 * The token service of somebody else, which clients trust by themselves, is asked as nobody: the registry's word alone must not
 * lead credentials there, nor manifix into its network.
 */
async function askElsewhere({ href, hostname }: URL, addresses: AddressCheck | undefined): Promise<string | undefined> {
  if (addresses?.allowsHost(hostname) !== true) return undefined;
  return getJson(href, undefined, addresses.lookup).then(JSON.stringify, () => undefined);
}
