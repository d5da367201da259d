import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type ContentRules, compileContentPolicy, NO_CONTENT_RULES } from '../../src/domain/content-policy.ts';
import { RegistryError } from '../../src/domain/errors.ts';
import { type HeaderList, headerValue } from '../../src/domain/headers.ts';
import { ANONYMOUS } from '../../src/domain/principal.ts';
import { compilePolicy, EVERY_REPOSITORY } from '../../src/domain/repository-policy.ts';
import type { TagPolicy } from '../../src/domain/tag-policy.ts';
import { FIXES } from '../../src/fixes/index.ts';
import { type AppliedFix, compileFixes, type FixSetting } from '../../src/fixes/run.ts';
import { callerOf } from '../../src/http/client.ts';
import { answerError } from '../../src/http/respond.ts';
import { parseTarget } from '../../src/http/routes.ts';
import { createDispatch } from '../../src/pipeline/dispatch.ts';
import type { Answer, AnswerBody, Caller, Endpoint, Exchange } from '../../src/pipeline/exchange.ts';
import type { CacheStatus, Upstream } from '../../src/pipeline/ports.ts';
import { type FakeUpstream, fakeUpstream } from './fake-upstream.ts';
import { type FakeServices, fakeServices } from './fakes.ts';

/** A whole answer as the edge would send it. */
export interface SeenAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Buffer;
  readonly cache: CacheStatus | undefined;
  readonly stored: boolean;
  readonly fixes: readonly AppliedFix[];
  header(name: string): string | undefined;
}

/** One endpoint with fakes behind it. */
export interface Scene {
  readonly services: FakeServices;
  readonly upstream: FakeUpstream;
  readonly endpoint: Endpoint;
  ask(method: string, target: string, headers?: HeaderList): Promise<SeenAnswer>;
  /** The same before its body is read. */
  answer(method: string, target: string, headers?: HeaderList): Promise<Answer>;
}

interface SceneOptions {
  readonly settings?: Readonly<Record<string, FixSetting>>;
  /** Milliseconds; a minute where not told otherwise. */
  readonly tagTtl?: number;
  readonly freshness?: Partial<TagPolicy>;
  /** None where not told. */
  readonly content?: Partial<ContentRules>;
}

export function createScene({
  settings = {},
  tagTtl = 60_000,
  freshness = {},
  content = {},
}: SceneOptions = {}): Scene {
  const services = fakeServices();
  const upstream = fakeUpstream();
  const policy = compileContentPolicy({ ...NO_CONTENT_RULES, ...content });
  const endpoint = {
    ...fakeEndpoint(upstream, settings, { ttlOf: () => tagTtl, ...freshness }),
    ...(policy && { content: policy }),
  };
  const dispatch = createDispatch(services);
  const answer = (method: string, target: string, headers: HeaderList = []) =>
    dispatch(fakeExchange(endpoint, method, target, headers));
  return {
    services,
    upstream,
    endpoint,
    answer,
    async ask(method, target, headers = []) {
      const exchange = fakeExchange(endpoint, method, target, headers);
      const given = await dispatch(exchange).catch((error: unknown) => {
        if (error instanceof RegistryError) return answerError(error, method);
        throw error;
      });
      return {
        status: given.status,
        headers: given.headers,
        body: await bytesOf(given.body),
        cache: given.cache,
        stored: given.stored ?? false,
        fixes: exchange.applied,
        header: (name) => headerValue(given.headers, name),
      };
    },
  };
}

/** What an endpoint is that serves everything under the upstream's names. */
export const plainEndpoint = {
  name: 'default',
  policy: compilePolicy([EVERY_REPOSITORY], []),
  readOnly: false,
  libraryPrefix: 'off',
  realms: [],
} as const;
const DAY = 86_400_000;
const FRESHNESS: TagPolicy = { ttlOf: () => 60_000, staleWhileRevalidate: 0, staleFor: 30 * DAY, notFoundTtl: 0 };

/** An endpoint with the catalogue's fixes in these settings, otherwise in their default modes. */
export function fakeEndpoint(
  upstream: Upstream,
  settings: Readonly<Record<string, FixSetting>> = {},
  freshness: Partial<TagPolicy> = {},
): Endpoint {
  return {
    ...plainEndpoint,
    upstream,
    fixes: compileFixes(FIXES, settings),
    freshness: { ...FRESHNESS, ...freshness },
    prepared: new WeakMap(),
  };
}

/** The token that everybody gets. */
export const everybodysToken: HeaderList[number] = ['Authorization', 'Bearer everybody'];

/** Who is asking: as at the edge, which knows one token that everybody gets. */
function callerIn(headers: HeaderList, query: string): Caller {
  const caller = callerOf(headers, query);
  return headerValue(headers, 'Authorization') === everybodysToken[1] ? { ...caller, anonymous: true } : caller;
}

/** A request as the edge hands it over; its sockets lead nowhere. */
export function fakeExchange(endpoint: Endpoint, method: string, target: string, headers: HeaderList = []): Exchange {
  const incoming = new IncomingMessage(new Socket());
  const parsed = parseTarget(target);
  return {
    id: 'run-1',
    address: '127.0.0.1',
    endpoint,
    caller: callerIn(headers, parsed.query),
    principal: ANONYMOUS,
    may: (_, repository) => endpoint.policy.allows(repository),
    shows: endpoint.policy.allows,
    request: { method, ...parsed, headers, clientHeaders: headers, hasBody: false },
    clientOrigin: 'http://manifix.test:5000',
    client: '127.0.0.1',
    signal: new AbortController().signal,
    incoming,
    outgoing: new ServerResponse(incoming),
    applied: [],
  };
}

/** The bytes of an answer's body. Rejects when it breaks off. */
export async function bytesOf(body: AnswerBody): Promise<Buffer> {
  switch (body.kind) {
    case 'none':
      return Buffer.alloc(0);
    case 'bytes':
      return Buffer.from(body.bytes);
    case 'stream':
      return buffer(body.stream);
    case 'blob': {
      const chunks: Buffer[] = [];
      try {
        for (let chunk = await body.reader.next(); chunk !== undefined; chunk = await body.reader.next()) {
          chunks.push(Buffer.from(chunk));
        }
      } finally {
        body.reader.close();
      }
      return Buffer.concat(chunks);
    }
  }
}
