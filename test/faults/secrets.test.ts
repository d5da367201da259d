import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashSync } from 'bcrypt';
import { describe, expect, it } from 'vitest';
import { inOrder } from '../support/faults/blob-steps.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { startHttpProxy, type TestProxy } from '../support/http-proxy.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { run } from '../support/process.ts';
import { fin, head, respond, type Step, send } from '../support/script-steps.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { temporaryDirectory } from '../support/temporary.ts';

// Every secret begins in the same way, alone and behind `dev:` in base64, so that whatever is told can be searched for all of them.
const MARK = 'zq';
const SECRET = /zq[0-9a-f]{20}|ZGV2Onpx[A-Za-z0-9+/=]+/g;
/** What a registry says in the body of an error is for whoever asked, and for an operator who wants to know. */
const WORDS = 'zr';
const TOLD_TO_NOBODY = /z[qr][0-9a-f]{20}|ZGV2Onp[A-Za-z0-9+/=]+/g;
const AT_ONCE = 8;

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const image = sampleImage('oci-amd64');
const manifest = [['Content-Type', image.mediaType]] as const;
const json = [['Content-Type', 'application/json']] as const;
const html = [['Content-Type', 'text/html']] as const;

/** Gives secrets and counts them. */
function createMint() {
  let count = 0;
  return {
    secret: (mark = MARK) => {
      count += 1;
      return mark + randomBytes(10).toString('hex');
    },
    get count() {
      return count;
    },
  };
}

type Secret = (mark?: string) => string;

const login = (secret: Secret) => `Basic ${Buffer.from(`dev:${secret()}`).toString('base64')}`;
/** A step that is made anew for each request, so that each has secrets of its own. */
const fresh =
  (make: () => Step): Step =>
  (context) =>
    make()(context);

/** A registry that leads, by the name of the repository, into each kind of trouble, with secrets in all that it says. */
function script(registry: ScriptedUpstream, storage: ScriptedUpstream, tokens: string, secret: Secret): void {
  const errors = (code: string) =>
    JSON.stringify({ errors: [{ code, message: 'no', detail: { state: secret(WORDS) } }] });
  const reads: Readonly<Record<string, () => Step>> = {
    ok: () => respond(200, [...manifest, ['Set-Cookie', `sid=${secret()}`]], image.bytes),
    html: () => respond(200, html, `<input value="${secret(WORDS)}">`),
    broken: () => respond(500, html, secret(WORDS)),
    denied: () => respond(403, json, errors('DENIED')),
    limited: () => respond(429, [['Retry-After', '3600']], secret(WORDS)),
    garbage: () => send(`HTTP/1.1 200 OK\r\n${secret()}\r\nbad \u0001: ${secret()}\r\n\r\n`),
    cut: () => inOrder(head(200, [`Set-Cookie: a=${secret()}`, 'Content-Length: 100']), fin()),
    storage: () => respond(307, [['Location', `${storage.url}/good?X-Amz-Signature=${secret()}`]]),
    expired: () => respond(307, [['Location', `${storage.url}/bad?sig=${secret()}`]]),
    dead: () => respond(307, [['Location', `http://127.0.0.1:1/blob?sig=${secret()}`]]),
    login: () => respond(302, [['Location', `http://dev:${secret()}@${storage.host}/good?sig=${secret()}`]]),
    ftp: () => respond(302, [['Location', `ftp://dev:${secret()}@example.com/?sig=${secret()}`]]),
    odd: () => respond(302, [['Location', `http://[${secret()}`]]),
    circle: () => respond(302, [['Location', `/v2/circle/again?sig=${secret()}`]]),
    realm: () =>
      respond(401, [['WWW-Authenticate', `Bearer realm="http://dev:${secret()}@${storage.host}/?k=${secret()}"`]]),
    tokens: () => respond(401, [['WWW-Authenticate', `Bearer realm="${tokens}",service="test"`]]),
  };
  for (const [name, make] of Object.entries(reads)) {
    for (const method of ['GET', 'HEAD']) {
      registry.on(method, new RegExp(`^/v2/${name}/`), [fresh(make)]);
    }
    const location = () => `/v2/${name}/blobs/uploads/1?_state=${secret()}`;
    const away = () => `${storage.url}/upload?sig=${secret()}`;
    registry.on('POST', new RegExp(`^/v2/${name}/`), [
      fresh(() => respond(202, [['Location', name === 'storage' ? away() : location()]])),
    ]);
    registry.on('PATCH', new RegExp(`^/v2/${name}/`), [fresh(() => respond(202, [['Location', location()]]))]);
    registry.on('PUT', new RegExp(`^/v2/${name}/`), [fresh(() => respond(400, json, errors('DIGEST_INVALID')))]);
  }
  registry.on('GET', /^\/v2\/$/, [fresh(reads.tokens ?? (() => respond(401)))]);
  for (const method of ['GET', 'HEAD']) {
    storage.on(method, /^\/good/, [respond(200, manifest, image.bytes)]);
    storage.on(method, /^\/bad/, [fresh(() => respond(403, html, `<Key>${secret(WORDS)}</Key>`))]);
  }
  storage.on('PUT', /./, [fresh(() => respond(500, html, secret(WORDS)))]);
  const answers: readonly (() => Step)[] = [
    () => respond(200, json, JSON.stringify({ token: secret(), refresh_token: secret() })),
    () => respond(200, json, JSON.stringify({ access_token: secret() })),
    () => respond(200, html, secret()),
    () => respond(500, html, secret(WORDS)),
    () => inOrder(head(200, [`X-Token: ${secret()}`, 'Content-Length: 100']), fin()),
  ];
  let turn = 0;
  const next = () => {
    turn += 1;
    return answers[turn % answers.length] ?? fin;
  };
  storage.on('GET', /^\/token/, [fresh(() => next()())]);
  storage.on('POST', /^\/token/, [fresh(() => (turn % 2 === 0 ? respond(405) : next()()))]);
}

const NAMES = 'ok html broken denied limited garbage cut storage expired dead login ftp odd circle realm tokens'.split(
  ' ',
);

/** Explaining takes a manifix of its own each time. */
const EXPLAINED = ['garbage', 'expired', 'login', 'realm', 'tokens'];

/** What clients do in a round, with a secret in every place that takes one. Each answer is told with what its own client may see of it. */
function actsAgainst(manifix: Manifix, secret: Secret) {
  const ways: readonly (() => readonly (readonly [string, string])[])[] = [
    () => [['Authorization', `Bearer ${secret()}`]],
    () => [['Authorization', login(secret)]],
    () => [
      ['Authorization', secret()],
      ['Cookie', `session=${secret()}`],
    ],
    () => [
      ['X-Api-Key', secret()],
      ['Proxy-Authorization', login(secret)],
    ],
  ];
  const acts: (() => Promise<HttpAnswer>)[] = [];
  for (const [index, name] of NAMES.entries()) {
    for (const prefix of ['', 'own/', 'behind/']) {
      const headers = () => ways[(index + acts.length) % ways.length]?.() ?? [];
      const ask = (method: string, target: string, body?: string) =>
        exchange(manifix.url, { method, target, headers: headers(), ...(body !== undefined && { body }) });
      acts.push(
        () => ask('GET', `/v2/${prefix}${name}/manifests/1?token=${secret()}`),
        () => ask('GET', `/v2/${prefix}${name}/blobs/${image.digest}`),
        () => ask('HEAD', `/v2/${prefix}${name}/manifests/2`),
        () => ask('POST', `/v2/${prefix}${name}/blobs/uploads/?access_token=${secret()}`, ''),
        () => ask('PATCH', `/v2/${prefix}${name}/blobs/uploads/1?_state=${secret()}`, 'abc'),
        () => ask('PUT', `/v2/${prefix}${name}/blobs/uploads/1?_state=${secret()}&digest=${image.digest}`, 'abc'),
        () => ask('GET', `/token?scope=repository:${prefix}${name}:pull&account=dev`),
        () => ask('GET', `/v2/${prefix}${name}/manifests/1?x=${secret()}`),
      );
    }
  }
  const form = [['Content-Type', 'application/x-www-form-urlencoded']] as const;
  acts.push(
    () =>
      exchange(manifix.url, {
        method: 'POST',
        target: '/token',
        headers: form,
        body: `grant_type=password&username=dev&password=${secret()}`,
      }),
    () =>
      exchange(manifix.url, {
        method: 'POST',
        target: '/token',
        headers: form,
        body: `grant_type=refresh_token&refresh_token=${secret()}`,
      }),
    () => exchange(manifix.url, { target: `http://dev:${secret()}@registry.example.com/v2/?token=${secret()}` }),
    () => exchange(manifix.url, { target: `/v2/ok/manifests/%zz?token=${secret()}` }),
    () =>
      exchange(manifix.url, {
        target: `/elsewhere?token=${secret()}`,
        headers: [['Authorization', `Bearer ${secret()}`]],
      }),
  );
  return acts;
}

/** Logins at manifix itself, with the right password and with others; each client has an address of its own. */
function loginsAt(manifix: Manifix, password: string, secret: Secret) {
  let clients = 0;
  const as = (word: string, target: string, method = 'GET') => {
    clients += 1;
    const Authorization = `Basic ${Buffer.from(`dev:${word}`).toString('base64')}`;
    const headers = { Authorization, 'X-Forwarded-For': `198.51.100.${clients % 250}` };
    return exchange(manifix.url, { method, target, headers });
  };
  return [password, secret(), secret()].flatMap((word) => [
    () => as(word, '/v2/door/ok/manifests/1'),
    () => as(word, `/v2/door/storage/blobs/uploads/?token=${secret()}`, 'POST'),
    () => as(word, `/token/door?scope=repository:door/ok:pull&password=${secret()}`),
  ]);
}

async function textOfFiles(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  // A part of a download that failed may be removed meanwhile.
  const read = (file: string) => readFile(file, 'latin1').catch(() => '');
  const texts = await Promise.all(files.map(async (file) => `${file}\n${await read(file)}`));
  return texts.join('\n');
}

/** Everything that operators and other clients are told. */
async function everythingTold(manifix: Manifix): Promise<Readonly<Record<string, string>>> {
  const told: Record<string, string> = {};
  const pages = ['/metrics', '/healthz', '/readyz', '/report?top=1000', '/drill?since=1d', '/cache/stats'];
  for (const name of EXPLAINED) pages.push(`/explain?reference=own/${name}:1&as=podman`);
  for (const target of pages) told[target] = (await exchange(manifix.adminUrl, { target })).body.toString();
  for (const name of NAMES) {
    for (const prefix of ['', 'own/', 'behind/']) {
      const target = `/v2/${prefix}${name}/manifests/1`;
      const { status, body } = await exchange(manifix.url, { target });
      if (status >= 400) told[target] = body.toString();
    }
  }
  told.files = await textOfFiles(manifix.cacheDir);
  told.log = manifix.output();
  return told;
}

describe('F91: secrets', () => {
  it('a thousand of them, in every place where one can come in, are in nothing that is told or stored', async () => {
    const mint = createMint();
    const { secret } = mint;
    await using registry = await startScriptedUpstream();
    await using storage = await startScriptedUpstream();
    script(registry, storage, `${storage.url}/token`, secret);
    await using proxy: TestProxy = await startHttpProxy({ routes: {} });
    proxy.broken = 407;
    const [own, passwords] = [secret(), secret()];
    const account = { username: 'dev', password: own };
    const inside = secret();
    await using directory = await temporaryDirectory();
    const htpasswd = join(directory.path, 'users');
    await writeFile(htpasswd, `dev:${hashSync(inside, 4)}\n`);
    const config = {
      log: { level: 'debug' },
      audit: { file: join(directory.path, 'audit.jsonl') },
      trustedProxies: ['127.0.0.1'],
      upstreams: {
        caller: { url: registry.url },
        account: { url: registry.url, credentials: account },
        behind: { url: registry.url, credentials: account, proxy: proxy.url.replace('//', `//dev:${passwords}@`) },
      },
      endpoints: [
        { name: 'caller', upstream: 'caller' },
        { name: 'own', upstream: 'account', prefix: 'own' },
        { name: 'behind', upstream: 'behind', prefix: 'behind' },
        { name: 'door', upstream: 'account', prefix: 'door', auth: { htpasswd } },
      ],
    };
    await using manifix = await startManifix({ config });
    const acts = [...actsAgainst(manifix, secret), ...loginsAt(manifix, inside, secret)];
    const statuses = new Set<number>();
    while (mint.count < 1_000) {
      for (let first = 0; first < acts.length; first += AT_ONCE) {
        const batch = acts.slice(first, first + AT_ONCE).map((act) => act().catch(() => undefined));
        for (const answer of await Promise.all(batch)) statuses.add(answer?.status ?? 0);
      }
    }
    const told = await everythingTold(manifix);
    const audit = await readFile(join(directory.path, 'audit.jsonl'), 'utf8');
    expect(secretsIn({ ...told, audit })).toEqual([]);
    const check = await run(process.execPath, [main, 'check', '--config', join(manifix.cacheDir, '..', 'config.yaml')]);
    expect(check).toMatchObject({ code: 0 });
    expect(check.stdout.match(SECRET)).toBeNull();
    // Nothing is proven by what did not happen.
    for (const status of [200, 202, 400, 401, 403, 429, 502]) expect(statuses).toContain(status);
    expect(told.log?.split('\n').length).toBeGreaterThan(acts.length);
    expect(told.files).toContain('facts.db');
    expect(audit).not.toBe('');
  }, 120_000);
});

const FOR_WHO_ASKS = /^\/v2\/|^\/explain/;

function secretsIn(told: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(told).flatMap(([place, text]) => {
    const found = [...text.matchAll(FOR_WHO_ASKS.test(place) ? SECRET : TOLD_TO_NOBODY)];
    return found.slice(0, 3).map(({ index }) => `${place}: ...${text.slice(Math.max(0, index - 200), index + 60)}`);
  });
}
