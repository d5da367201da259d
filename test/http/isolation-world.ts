import { Agent, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createOwnTokens } from '../../src/auth/own-tokens.ts';
import type { TokenKeys } from '../../src/auth/token-keys.ts';
import type { AuditEvent } from '../../src/domain/audit.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { compileRights } from '../../src/domain/rights.ts';
import { trustCheck } from '../../src/http/client.ts';
import { createCursors } from '../../src/http/cursors.ts';
import { createEndpointRoutes } from '../../src/http/endpoint-routes.ts';
import type { Edge } from '../../src/http/handle.ts';
import { createReadyAnswers } from '../../src/http/ready-answers.ts';
import { createEdgeServer } from '../../src/http/server.ts';
import { createTokenEndpoint } from '../../src/http/token-endpoint.ts';
import { createTokenMemory } from '../../src/http/token-memory.ts';
import { createDispatch } from '../../src/pipeline/dispatch.ts';
import type { Answer, Exchange, Guard } from '../../src/pipeline/exchange.ts';
import type { FinishedRequest, Services, Upstream, UpstreamRequest } from '../../src/pipeline/ports.ts';
import { type Barrier, barrier, within } from '../support/deadline.ts';
import { type FakeServices, fakeServices } from '../support/fakes.ts';
import { guardedRegistry } from '../support/guarded-registry.ts';
import { headerList } from '../support/headers.ts';
import type { SampleImage } from '../support/images.ts';
import { listenOnLoopback } from '../support/ports.ts';
import { fakeEndpoint } from '../support/scene.ts';
import { allows, knowsByName } from './guarded.ts';

// A registry, what manifix knows and has, and the edge: all that two teams share.

const RIGHTS = [
  allows('everybody', 'pull', 'a/open'),
  allows('ann', 'pull push delete list', 'a/**'),
  allows('bea', 'pull push delete list', 'b/**'),
];

/** Services that count what is looked for in the store. */
function counted(services: FakeServices): { services: Services; looked: () => number } {
  let looks = 0;
  const counting = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get(target, key, receiver) {
        const member: unknown = Reflect.get(target, key, receiver);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          looks += 1;
          return member.apply(target, args);
        };
      },
    });
  const { blobs: files, manifests, facts } = services;
  return {
    services: { ...services, blobs: counting(files), manifests: counting(manifests), facts: counting(facts) },
    looked: () => looks,
  };
}

function listed(body: object, headers: HeaderList = []) {
  return {
    status: 200,
    headers: [['Content-Type', 'application/json'] as const, ...headers],
    body: Readable.from([Buffer.from(JSON.stringify(body))], { objectMode: false }),
    redirected: false,
  };
}

/** A registry with lists, some of whose downloads are held up. */
function createWorldRegistry() {
  const registry = guardedRegistry();
  const tags = new Map<string, Set<string>>();
  let questions = 0;
  let gate: Barrier | undefined;
  let arrived = () => {};

  function listFor(path: string) {
    const { pathname, searchParams } = new URL(path, 'http://registry.test');
    if (pathname === '/v2/_catalog') {
      const last = searchParams.get('last') ?? '';
      const n = Number(searchParams.get('n') ?? 100);
      const names = [...tags.keys()].toSorted().filter((name) => name > last);
      const link = `</v2/_catalog?n=${n}&last=${names[n - 1]}>; rel="next"`;
      return listed({ repositories: names.slice(0, n) }, names.length > n ? [['Link', link]] : []);
    }
    const [, name = '', kind] = /^\/v2\/(.+)\/(tags\/list|referrers\/.*)$/.exec(pathname) ?? [];
    if (kind === undefined || !tags.has(name)) return undefined;
    return kind === 'tags/list' ? listed({ name, tags: [...(tags.get(name) ?? [])] }) : listed({ manifests: [] });
  }
  const upstream: Upstream = {
    ...registry,
    authority: 'own',
    async request(asked: UpstreamRequest) {
      questions += 1;
      const answer = listFor(asked.path) ?? (await registry.request({ ...asked, headers: [] }));
      if (gate === undefined || !/^GET \/v2\/b\/.*\/blobs\//.test(`${asked.method} ${asked.path}`)) return answer;
      const { passed } = gate;
      arrived();
      async function* later() {
        await passed;
        yield* answer.body;
      }
      return { ...answer, body: Readable.from(later(), { objectMode: false }) };
    },
  };
  return {
    upstream,
    asked: () => questions,
    push(name: string, tag: string, image: SampleImage) {
      registry.allow('', name);
      tags.set(name, (tags.get(name) ?? new Set()).add(tag));
      for (const one of [...image.children, image]) {
        registry.putManifest(name, one === image ? tag : one.digest, one.bytes, one.mediaType);
        for (const blob of one.blobs) registry.putBlob(name, blob.bytes);
      }
    },
    /** Holds up the blobs that team B downloads from now on; resolves when one is. */
    hold(): Promise<void> {
      gate ??= barrier();
      return new Promise((resolve) => {
        arrived = resolve;
      });
    },
    release(): void {
      gate?.release();
      gate = undefined;
    },
  };
}

export type World = ReturnType<typeof createWorld>;

/** @param keys of manifix's own tokens */
export function createWorld(keys: TokenKeys) {
  const { upstream, asked, ...registry } = createWorldRegistry();
  const fakes = fakeServices();
  const { services, looked } = counted(fakes);
  const { now } = fakes;
  const people = knowsByName();
  const { issuer, authentication } = createOwnTokens({
    ...{ endpoint: 'default', authentication: people, keys, now },
    ttl: 300_000,
  });
  const guard: Guard = { authentication, tokens: issuer, rights: compileRights(RIGHTS, {}), challenge: 'bearer' };
  const endpoint = { ...fakeEndpoint(upstream), guard };
  const endpoints = createEndpointRoutes([{ endpoint, ns: [], isDefault: true }]);
  const cursors = createCursors();
  const tokenMemory = createTokenMemory({ now });
  const read = createDispatch(services);
  const [finished, audited]: [FinishedRequest[], AuditEvent[]] = [[], []];
  let observed = 0;
  let onObserved = () => {};
  const edge: Edge = {
    ...{ endpoints, cursors, tokenMemory },
    dispatch: async (exchange) => (isRead(exchange) ? read(exchange) : written(exchange)),
    tokens: createTokenEndpoint(endpoints, services.challenges, tokenMemory),
    trusts: trustCheck([]),
    observe(record) {
      finished.push(record);
      observed += 1;
      onObserved();
    },
    audit: (event) => void audited.push(event),
    ready: createReadyAnswers(now),
  };
  return {
    ...registry,
    edge,
    /** How many requests have ended altogether, with all that follows from an answer. */
    ended: () => observed,
    /** Resolves when so many have. Only one may wait. */
    async endsOf(count: number): Promise<void> {
      while (observed < count)
        await new Promise<void>((resolve) => {
          onObserved = resolve;
        });
    },
    effort: () => ({ questions: asked(), looks: looked() }),
    /** What operators were told since the last time, but for what is never the same twice. */
    told: () => ({
      records: finished.splice(0).map(({ id: _, seconds: _seconds, client: _client, ...record }) => record),
      events: audited.splice(0).map(({ requestId: _, client: _client, ...event }) => event),
    }),
    /** Where a page of the catalogue begins: no two cursors look the same. */
    opened: (text: string) =>
      text.replace(/last=(~[^>&]*)/, (_, sealed) => `last=${cursors.open(endpoint, '', decodeURIComponent(sealed))}`),
  };
}

function isRead({ request: { method } }: Exchange): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** What goes on to the registry is not answered here: it is said what would. */
function written({ request: { method, route, query } }: Exchange): Answer {
  const bytes = Buffer.from(JSON.stringify({ method, route, query }));
  return { status: 202, headers: [['Content-Length', String(bytes.length)]], body: { kind: 'bytes', bytes } };
}

export interface Asked {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Said {
  readonly status: number;
  /** Without the date. */
  readonly headers: HeaderList;
  readonly body: Buffer;
}

export type Side = Awaited<ReturnType<typeof startSide>>;

/** A server on a real socket that one world after the other stands behind. */
export async function startSide() {
  let world: World | undefined;
  const server = createEdgeServer(() => {
    if (world === undefined) throw new Error('there is no world yet');
    return world.edge;
  });
  const port = await listenOnLoopback(server);
  const agent = new Agent({ keepAlive: true });
  async function send({ method, target, headers }: Asked): Promise<Said> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const how = { host: '127.0.0.1', port, agent, method, path: target };
    request({ ...how, headers: { Host: 'manifix.test', ...headers } }, resolve)
      .once('error', reject)
      .end();
    const answer = await within(`an answer to ${method} ${target}`, promise);
    const body = await within('its body', buffer(answer));
    const fields = headerList(answer.rawHeaders).filter(([name]) => name !== 'Date');
    return { status: answer.statusCode ?? 0, headers: fields, body };
  }

  return {
    use(next: World): void {
      world = next;
    },
    send,
    /** The same, and the request has ended for manifix, too. */
    async ask(asked: Asked): Promise<Said> {
      const before = world?.ended() ?? 0;
      const said = await send(asked);
      await within('the end of the request', world?.endsOf(before + 1) ?? Promise.resolve());
      return said;
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
