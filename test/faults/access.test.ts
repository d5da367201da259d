import { describe, expect, it } from 'vitest';
import { cutBlob, inOrder, serveBlob } from '../support/faults/blob-steps.ts';
import { type FaultRig, type RigBlob, withRig } from '../support/faults/rig.ts';
import { scale } from '../support/faults/scale.ts';
import { headerValue } from '../support/headers.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { startManifix } from '../support/manifix.ts';
import { head, respond, type Step } from '../support/script-steps.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { startTokenServer, type TokenServer } from '../support/token-server.ts';

const image = sampleImage('oci-amd64');
const manifest = [['Content-Type', image.mediaType]] as const;
const alice = { Authorization: 'Bearer alice' };
const login = { Authorization: 'Basic dXNlcjpzZWNyZXQ=' };
const denied = JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] });
const refusal = respond(401, [['WWW-Authenticate', 'Basic realm="registry"']], denied);

/** The registry gives the blob to those who are let in, and everybody else the same refusal as for what it does not have. */
function guard(
  rig: FaultRig,
  { bytes, pattern }: Pick<RigBlob, 'bytes' | 'pattern'>,
  letIn: ReadonlySet<string>,
): void {
  const whole = respond(200, [], bytes);
  for (const method of ['GET', 'HEAD']) {
    rig.upstream.on(method, pattern, [
      (context) => (letIn.has(headerValue(context.headers, 'Authorization') ?? '') ? whole : refusal)(context),
    ]);
  }
}

describe('F16: a token of a caller that ends', () => {
  it('is the refusal of the registry for the caller, asked once, and the blob comes whole with a new token', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(100_000);
      guard(rig, blob, new Set(['Bearer new']));
      const ended = await rig.pull({ target: blob.target, headers: { Authorization: 'Bearer ended' } });
      expect([ended.status, rig.gets(blob)]).toEqual([401, 1]);
      const renewed = await rig.pull({ target: blob.target, headers: { Authorization: 'Bearer new' } });
      expect([renewed.status, renewed.digest()]).toEqual([200, blob.digest]);
    });
  });
});

describe('F16: a token of manifix that ends in the middle of a blob', () => {
  it('is renewed once when the download goes on, and the blob comes whole from where it was cut', async () => {
    await using tokens = await startTokenServer({ users: { robot: 'hunter2' } });
    let good = '';
    tokens.shape = (token) => {
      // The registry takes the last one only.
      good = `${token}.${tokens.questions.length}`;
      return { token: good, expires_in: 300 };
    };
    await withRig({ credentials: { kind: 'login', username: 'robot', password: 'hunter2' } }, async (rig) => {
      const { upstream } = rig;
      const challenge = `Bearer realm="${tokens.realm}",service="${tokens.service}",scope="repository:app:pull"`;
      const refused = respond(401, [['WWW-Authenticate', challenge]], denied);
      const guarded =
        (step: Step): Step =>
        (context) =>
          (headerValue(context.headers, 'Authorization') === `Bearer ${good}` ? step : refused)(context);
      const blob = rig.blob(300_000);
      upstream.on('GET', /^\/v2\/$/, [refused]);
      let cuts = 0;
      const endToken = async () => {
        cuts += 1;
        good = 'none';
      };
      const cut = inOrder(endToken, ...cutBlob(blob.bytes, 100_000, 'FIN'));
      upstream.on('GET', blob.pattern, [guarded((context) => (cuts === 0 ? cut : serveBlob(blob.bytes))(context))]);
      const { status, end, digest } = await rig.pull(blob);
      expect([status, end, digest()]).toEqual([200, 'whole', blob.digest]);
      const asked = upstream.requests.filter(({ target }) => target === blob.target);
      // Each time the first question is the one that is refused.
      expect(asked.map(({ headers }) => headerValue(headers, 'Range'))).toEqual([
        undefined,
        undefined,
        'bytes=100000-',
        'bytes=100000-',
      ]);
      expect(tokens.questions).toHaveLength(2);
    });
  });
});

describe('F86: a manifest that is cached while its blobs are gone from the registry', () => {
  it('is served, and what is gone is a 404 in the form of the specification, never an empty success', async () => {
    await withRig({}, async (rig) => {
      const target = `/v2/app/manifests/${image.digest}`;
      rig.upstream.once('GET', /manifests/, [respond(200, manifest, image.bytes)]);
      rig.upstream.on('HEAD', /manifests/, [respond(200, manifest, image.bytes)]);
      expect((await rig.pull({ target })).status).toBe(200);
      for (const answer of [respond(404, [], 'gone'), respond(404)]) {
        const gone = rig.blob(1_000, `gone ${rig.upstream.requests.length}`);
        for (const method of ['GET', 'HEAD']) rig.upstream.on(method, gone.pattern, [answer]);
        expect((await rig.pull({ target })).digest()).toBe(image.digest);
        const { status, body } = await rig.pull({ target: gone.target });
        expect([status, JSON.parse(body().toString()).errors[0].code]).toEqual([404, 'BLOB_UNKNOWN']);
      }
    });
  });
});

describe('F90: private content', () => {
  it('is given to nobody but whom the registry lets read it, and not to them either 61 s after that ended', async () => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(100_000);
      const letIn = new Set(['Bearer alice']);
      guard(rig, blob, letIn);
      expect((await rig.pull({ target: blob.target, headers: alice })).digest()).toBe(blob.digest);
      await rig.stored(blob);
      for (const headers of [{}, { Authorization: 'Bearer bob' }]) {
        const { status, body } = await rig.pull({ target: blob.target, headers });
        expect([status, body().includes(blob.bytes.subarray(0, 16))]).toEqual([401, false]);
      }
      const hit = await rig.pull({ target: blob.target, headers: alice });
      expect(hit.header('Cache-Status')).toBe('manifix; hit');
      letIn.clear();
      rig.clock.jump(61_000);
      expect((await rig.pull({ target: blob.target, headers: alice })).status).toBe(401);
    });
  });
});

describe('F93: refusals', () => {
  it('are the same whether the content is cached or not, for every kind of request', async () => {
    await withRig({}, async (rig) => {
      for (let pair = 0; pair < scale(5, 50); pair += 1) {
        const cached = rig.blob(10_000, `cached ${pair}`, 'secret');
        const unknown = rig.blob(10_000, `unknown ${pair}`, 'secret');
        guard(rig, cached, new Set(['Bearer alice']));
        guard(rig, unknown, new Set());
        await rig.pull({ target: cached.target, headers: alice });
        await rig.stored(cached);
        for (const headers of [{}, { Authorization: 'Bearer mallory' }, { Range: 'bytes=0-9' }]) {
          for (const method of ['GET', 'HEAD']) {
            const answers = [cached, unknown].map(({ target }) => exchange(rig.cache.url, { method, target, headers }));
            const [one, other] = (await Promise.all(answers)).map(seen);
            expect(one).toEqual(other);
            expect(one).toMatchObject({ status: 401 });
          }
        }
      }
    });
  });

  /** All that a stranger sees of an answer, but for its date and number. */
  function seen({ status, header, body }: HttpAnswer) {
    const fields = ['Content-Type', 'Content-Length', 'WWW-Authenticate', 'Cache-Status', 'Age', 'ETag'];
    return { status, body: body.toString(), fields: fields.map((name) => header(name)) };
  }
});

describe('F92: a token service that is down', () => {
  /** Takes tokens of the service only. */
  function wantTokens(registry: ScriptedUpstream, tokens: TokenServer): void {
    const challenge = `WWW-Authenticate: Bearer realm="${tokens.realm}",service="${tokens.service}"`;
    const found = respond(200, manifest, image.bytes);
    for (const method of ['GET', 'HEAD']) {
      registry.on(method, /./, [
        (context) =>
          headerValue(context.headers, 'Authorization')?.startsWith('Bearer ') === true
            ? found(context)
            : head(401, [challenge, 'Content-Length: 0'])(context),
      ]);
    }
  }

  it('leaves readable what manifix may read for all, and keeps closed what each caller has to prove', async () => {
    await using tokens = await startTokenServer({ users: { robot: 'hunter2' } });
    await using registry = await startScriptedUpstream();
    wantTokens(registry, tokens);
    const account = { username: 'robot', password: 'hunter2' };
    const upstreams = {
      own: { url: registry.url, credentials: account },
      callers: { url: registry.url, credentials: 'passthrough' },
    };
    const endpoints = [
      { name: 'own', upstream: 'own' },
      { name: 'callers', upstream: 'callers', prefix: 'callers' },
    ];
    await using manifix = await startManifix({ config: { upstreams, endpoints, cache: { tagTtl: '0s' } } });
    const pull = (target: string, headers = {}) => exchange(manifix.url, { target, headers });
    // A token of a moment: the next question needs a new one.
    tokens.shape = (token) => ({ token, expires_in: 0.001 });
    expect((await pull('/v2/app/manifests/1')).status).toBe(200);
    expect((await pull('/v2/callers/app/manifests/1', alice)).status).toBe(200);
    await tokens.stop();
    const stale = await pull('/v2/app/manifests/1');
    expect([stale.status, stale.body.equals(image.bytes)]).toEqual([200, true]);
    expect(stale.header('Cache-Status')).toContain('stale');
    expect((await pull('/v2/app/manifests/2')).status).toBe(502);
    const stranger = await pull('/v2/callers/app/manifests/1');
    expect([stranger.status, stranger.body.includes(image.digest.slice(7))]).toEqual([401, false]);
    expect((await pull('/token?scope=repository:callers/app:pull,push', login)).status).toBe(502);
    // Who wants to pull comes without a token, and hears why there is none.
    const { token } = JSON.parse((await pull('/token?scope=repository:callers/app:pull')).body.toString());
    const nobody = await pull('/v2/callers/app/manifests/1', { Authorization: `Bearer ${token}` });
    expect([nobody.status, nobody.body.includes(image.digest.slice(7))]).toEqual([502, false]);
  });
});
