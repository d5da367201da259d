import { lookup } from 'node:dns';
import { Readable } from 'node:stream';
import { digestOf } from '../../src/domain/digest.ts';
import { type HeaderList, headerValue } from '../../src/domain/headers.ts';
import { unavailable } from '../../src/domain/unavailable.ts';
import type { Outlook, Upstream, UpstreamRequest, UpstreamResponse } from '../../src/pipeline/ports.ts';
import { DEFAULT_TIMEOUTS } from '../../src/upstream/wire.ts';

export interface FakeAnswer {
  readonly status: number;
  readonly headers?: HeaderList;
  readonly body?: Uint8Array | string | Readable;
  readonly redirected?: boolean;
  readonly probed?: boolean;
}

type Script = FakeAnswer | ((request: UpstreamRequest) => FakeAnswer | Promise<FakeAnswer>);

/** A registry that answers each request by its method and path, and 404 to every other one. */
export interface FakeUpstream extends Upstream {
  /** What `outlook` says. */
  expected: Outlook;
  /** Set: nobody answers. */
  down: boolean;
  readonly requests: readonly UpstreamRequest[];
  /** Methods and paths of the requests since the last call. */
  asked(): readonly string[];
  /** Says what the registry answers from now on; `method` may be several, joined with a blank. */
  on(method: string, path: string, script: Script): void;
  /** Serves a manifest by tag and by digest as docker-registry does. */
  serve(repository: string, tag: string, bytes: Uint8Array, mediaType: string): void;
}

export function fakeUpstream(name = 'registry'): FakeUpstream {
  const scripts = new Map<string, Script>();
  const requests: UpstreamRequest[] = [];
  let told = 0;
  const on = (methods: string, path: string, script: Script) => {
    for (const method of methods.split(' ')) scripts.set(`${method} ${path}`, script);
  };
  return {
    name,
    origin: 'http://registry.test:5001',
    basePath: '',
    authority: 'caller',
    hasAccount: false,
    authorize: async ({ headers }) => headers,
    addresses: { allowsHost: () => true, lookup },
    timeouts: DEFAULT_TIMEOUTS,
    down: false,
    expected: { ask: true, patience: Number.POSITIVE_INFINITY },
    outlook() {
      return this.expected;
    },
    requests,
    asked() {
      const news = requests.slice(told);
      told = requests.length;
      return news.map(({ method, path }) => `${method} ${path}`);
    },
    on,
    serve(repository, tag, bytes, mediaType) {
      const digest = digestOf(bytes);
      const headers = registryHeaders(digest, bytes, mediaType);
      for (const reference of [tag, digest]) {
        on('GET HEAD', `/v2/${repository}/manifests/${reference}`, { status: 200, headers, body: bytes });
      }
    },
    async request(request) {
      requests.push(request);
      if (this.down) throw unavailable('The registry', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
      const script = scripts.get(`${request.method} ${request.path}`) ?? unknownContent;
      return responseOf(request, typeof script === 'function' ? await script(request) : script);
    },
  };
}

/** The fields of docker-registry's answer with content, in its order. */
export function registryHeaders(digest: string, bytes: Uint8Array, mediaType: string): HeaderList {
  return [
    ['Content-Length', String(bytes.length)],
    ['Content-Type', mediaType],
    ['Docker-Content-Digest', digest],
    ['Docker-Distribution-Api-Version', 'registry/2.0'],
    ['Etag', `"${digest}"`],
    ['X-Content-Type-Options', 'nosniff'],
  ];
}

/** A registry's error answer in the form of the distribution-spec. */
export function errorAnswer(status: number, code: string, message = 'no', headers: HeaderList = []): FakeAnswer {
  const body = JSON.stringify({ errors: [{ code, message }] });
  return { status, headers: [...headers, ['Content-Type', 'application/json; charset=utf-8']], body };
}

/** Demands a password of whoever sends another Authorization than this. */
export function guarded(authorization: string, answer: FakeAnswer): Script {
  return ({ headers }) =>
    headerValue(headers, 'Authorization') === authorization
      ? answer
      : errorAnswer(401, 'UNAUTHORIZED', 'authentication required', [['WWW-Authenticate', 'Basic realm="registry"']]);
}

const unknownContent = errorAnswer(404, 'MANIFEST_UNKNOWN', 'manifest unknown');

function responseOf(
  { method }: UpstreamRequest,
  { status, headers = [], body = '', redirected, probed }: FakeAnswer,
): UpstreamResponse {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const stream =
    bytes instanceof Readable ? bytes : Readable.from(bytes.length === 0 ? [] : [bytes], { objectMode: false });
  return {
    status,
    headers,
    body: method === 'HEAD' ? Readable.from([], { objectMode: false }) : stream,
    redirected: redirected ?? false,
    ...(probed === undefined ? {} : { probed }),
  };
}
