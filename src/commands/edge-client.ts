import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { CREDENTIALS_VARIABLE } from '../config/environment.ts';
import { challengeOf, parseChallenges } from '../domain/challenge.ts';
import { parseErrors } from '../domain/errors.ts';
import { type HeaderList, headerListFromRaw, headerValues } from '../domain/headers.ts';
import { type AskRealm, askRealm, tokenFor } from '../explain/token-dance.ts';
import type { HostPort } from '../lib/address.ts';
import { readBody } from '../lib/read-body.ts';

/** Where clients reach a running manifix. */
export interface EdgeAddress extends HostPort {
  readonly tls: boolean;
}

/** A client of a running manifix. Every call rejects with one plain sentence when the answer is not a success. */
export interface EdgeClient {
  manifest(
    host: string,
    target: string,
    accept: string,
  ): Promise<{ readonly bytes: Uint8Array; readonly headers: HeaderList }>;
  /** Reads a blob to its end and tells each piece. */
  blob(host: string, target: string, onBytes: (count: number) => void): Promise<void>;
  close(): void;
}

const CONNECTIONS = 4;
const MAX_MANIFEST = 8 * 1024 * 1024;
const MAX_ERROR = 64 * 1024;

/**
 * Asks as nobody first, at each host and in each repository: a list of images leads to registries that the password is not for.
 * @param user name and password of a registry, as `NAME:PASSWORD`, for a host that asks for them with a 401
 */
export function createEdgeClient({ host: address, port, tls }: EdgeAddress, user: string | undefined): EdgeClient {
  // 0.0.0.0 and :: are every address, this machine's own among them.
  const hostname = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
  const agent = tls
    ? new HttpsAgent({ keepAlive: true, maxSockets: CONNECTIONS })
    : new HttpAgent({ keepAlive: true, maxSockets: CONNECTIONS });
  const basic = user === undefined ? undefined : `Basic ${Buffer.from(user).toString('base64')}`;
  /** What was accepted last, by host and repository. */
  const known = new Map<string, string>();

  function send(
    host: string,
    target: string,
    accept: string,
    authorization: string | undefined,
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const headers = {
      Host: host,
      Accept: accept,
      'User-Agent': 'manifix-warm',
      ...(authorization && { Authorization: authorization }),
    };
    // The certificate is for the names of clients, and the address is the operator's own.
    const options = { hostname, port, path: target, headers, agent, ...(tls && { rejectUnauthorized: false }) };
    (tls ? httpsRequest : httpRequest)(options, resolve).on('error', reject).end();
    return promise;
  }

  /** Where manifix is the realm, it is this one: the name may lead elsewhere, or nowhere, and the certificate is not checked here. */
  function realmAt(host: string): AskRealm {
    return async (realm, authorization) => {
      if (realm.origin !== new URL(`${realm.protocol}//${host}`).origin) return askRealm(realm, authorization);
      const answer = await send(host, realm.pathname + realm.search, 'application/json', authorization);
      const body = await readBody(answer, MAX_MANIFEST);
      return answer.statusCode === 200 && body !== 'too-large' ? Buffer.from(body).toString() : undefined;
    };
  }

  async function get(host: string, target: string, accept: string): Promise<IncomingMessage> {
    const place = `${host} ${/^\/v2\/(.+)\/(?:manifests|blobs)\//.exec(target)?.[1]}`;
    let answer = await send(host, target, accept, known.get(place));
    if (answer.statusCode === 401) {
      const authorization = await authorizationFor(headerListFromRaw(answer.rawHeaders), basic, realmAt(host));
      if (authorization !== undefined) {
        answer.resume();
        known.set(place, authorization);
        answer = await send(host, target, accept, authorization);
      }
    }
    if (answer.statusCode === 200) return answer;
    const body = await readBody(answer, MAX_ERROR);
    const [error] = body === 'too-large' ? [] : (parseErrors(body) ?? []);
    const said = `${answer.statusCode} ${error?.message ?? error?.code ?? answer.statusMessage}`;
    const asNobody = answer.statusCode === 401 && basic === undefined;
    throw new Error(asNobody ? `${said}; set ${CREDENTIALS_VARIABLE} to NAME:PASSWORD` : said);
  }

  return {
    async manifest(host, target, accept) {
      const answer = await get(host, target, accept);
      const bytes = await readBody(answer, MAX_MANIFEST);
      if (bytes === 'too-large') throw new Error('the manifest is longer than 8 MiB');
      return { bytes, headers: headerListFromRaw(answer.rawHeaders) };
    },
    async blob(host, target, onBytes) {
      const answer = await get(host, target, '*/*');
      for await (const chunk of answer) onBytes((chunk as Uint8Array).length);
    },
    close: () => agent.destroy(),
  };
}

/** What the fields of a 401 ask for: a token, or the password itself. */
async function authorizationFor(
  refusal: HeaderList,
  basic: string | undefined,
  realm: AskRealm,
): Promise<string | undefined> {
  const challenges = parseChallenges(headerValues(refusal, 'WWW-Authenticate'));
  const wantsPassword = challengeOf(challenges, 'basic') !== undefined;
  return (await tokenFor(refusal, basic, realm)) ?? (wantsPassword ? basic : undefined);
}
