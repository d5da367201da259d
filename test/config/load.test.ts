import { describe, expect, it } from 'vitest';
import { FIXES } from '../../src/fixes/index.ts';
import { load, loadValid, mistakesIn, SMALLEST } from './support.ts';

const TAGS = { tagTtl: 60_000, tags: [], staleWhileRevalidate: 0, staleFor: 30 * 86_400_000, notFoundTtl: 5_000 };
const TIMEOUTS = { connect: 5_000, headers: 20_000, stall: 60_000, revalidate: 1_500, change: 120_000 };
const HUB = 'https://registry.example.com';

describe('a configuration file', () => {
  it('needs only an upstream; every other key has a default', async () => {
    expect(await loadValid({ file: SMALLEST })).toEqual({
      listen: { host: '127.0.0.1', port: 5000 },
      tls: undefined,
      admin: { listen: { host: '127.0.0.1', port: 5080 } },
      cache: { dir: './data', maxSize: 50 * 2 ** 30, scrubRate: 20 * 2 ** 20, ...TAGS },
      upstreams: {
        hub: {
          url: HUB,
          kind: 'generic',
          timeouts: TIMEOUTS,
          credentials: { kind: 'passthrough' },
          realms: [],
          redirects: [],
        },
      },
      groups: {},
      endpoints: [
        {
          name: 'default',
          upstream: 'hub',
          ns: [],
          isDefault: true,
          repositories: { allow: ['**'], deny: [] },
          rights: [],
          readOnly: false,
          profile: { name: 'default', by: 'kind' },
          cache: TAGS,
          content: { pins: [], deny: [], coolDown: [] },
          limits: { perUser: {} },
          fixes: {
            'add-type': { mode: 'on', options: { force: 'no' } },
            'watch-only': { mode: 'observe', options: {} },
          },
        },
      ],
      log: { level: 'info', format: 'auto' },
      usage: { keep: 90 * 86_400_000, top: 100 },
      trustedProxies: [],
      warm: [],
      drainTimeout: 30_000,
    });
  });

  it('gives an upstream several URLs and times of its own, and tags their times by pattern', async () => {
    const file = `
cache: { tagTtl: 10s, tags: { latest: 30s, "v*": 1h, "sha-*": immutable }, staleFor: 7d }
upstreams:
  hub: { urls: ['${HUB}', 'https://b.example.com/'], timeouts: { headers: 5s } }
endpoints: [{ cache: { tagTtl: 0s, tags: {} } }]
`;
    const config = await loadValid({ file });
    expect(config.upstreams).toMatchObject({
      hub: {
        url: HUB,
        fallbacks: ['https://b.example.com'],
        kind: 'generic',
        timeouts: { ...TIMEOUTS, headers: 5_000 },
      },
    });
    const staleFor = 7 * 86_400_000;
    const rules = [
      { pattern: 'latest', ttl: 30_000 },
      { pattern: 'v*', ttl: 3_600_000 },
      { pattern: 'sha-*', ttl: Number.POSITIVE_INFINITY },
    ];
    expect(config.cache).toMatchObject({ tagTtl: 10_000, tags: rules, staleFor });
    expect(config.endpoints[0]?.cache).toEqual({ ...TAGS, tagTtl: 0, tags: [], staleFor });
  });

  it('sets every key', async () => {
    const file = `
listen: '[::1]:0'
admin: { listen: off }
cache: { dir: /srv/cache, maxSize: 64MiB, tagTtl: 500ms, scrubRate: 1MiB }
upstreams:
  hub: { url: https://registry.example.com/prefix/, kind: dockerhub }
  lab: { url: HTTP://Lab.Example.com:80, kind: gitlab }
endpoints:
  - { upstream: hub }
  - name: lab
    upstream: lab
    host: Lab.Local:5000
    prefix: team/lab
    ns: [Lab.Example.com]
    repositories: { allow: [a/**], deny: ['*'] }
    readOnly: true
    profile: strict
log: { level: debug, format: json }
trustedProxies: [10.0.0.0/8, '::1']
drainTimeout: 5s
`;
    const config = await loadValid({ file });
    expect(config).toMatchObject({
      listen: { host: '::1', port: 0 },
      admin: undefined,
      cache: { dir: '/srv/cache', maxSize: 67_108_864, tagTtl: 500, scrubRate: 1_048_576 },
      upstreams: {
        hub: { url: 'https://registry.example.com/prefix', kind: 'dockerhub' },
        lab: { url: 'http://lab.example.com', kind: 'gitlab' },
      },
      endpoints: [
        { name: 'default', upstream: 'hub' },
        {
          ...{ name: 'lab', upstream: 'lab', isDefault: false, readOnly: true, profile: { name: 'strict' } },
          ...{ host: 'lab.local:5000', prefix: 'team/lab', ns: ['lab.example.com'] },
          repositories: { allow: ['a/**'], deny: ['*'] },
        },
      ],
      log: { level: 'debug', format: 'json' },
      trustedProxies: ['10.0.0.0/8', '::1'],
      warm: [],
      drainTimeout: 5000,
    });
    expect(config.endpoints[0]).not.toHaveProperty('host');
  });

  it('may have keys without a value, as when all their entries are commented out', async () => {
    const file = `upstreams: { hub: { url: ${HUB} } }\ncache:\nadmin:\nendpoints:\nfixes:\nlog: { level: }\n`;
    expect(await loadValid({ file })).toEqual(await loadValid({ file: SMALLEST }));
  });
});

describe('profiles', () => {
  const settingOf = async (endpoint: object, fixes: object = {}) => {
    const file = { upstreams: { hub: { url: HUB } }, endpoints: [endpoint], fixes };
    const [loaded] = (await loadValid({ file, fixes: FIXES })).endpoints;
    return loaded?.fixes['index-without-mediatype'];
  };

  it('stand between the default and what names one fix, globally or for the endpoint', async () => {
    expect(await settingOf({})).toMatchObject({ mode: 'on' });
    expect(await settingOf({ profile: 'strict' })).toMatchObject({ mode: 'off' });
    const observed = { 'index-without-mediatype': 'observe' };
    expect(await settingOf({ profile: 'strict' }, observed)).toMatchObject({ mode: 'observe' });
    expect(await settingOf({ profile: 'strict', fixes: { 'index-without-mediatype': 'off' } }, observed)).toMatchObject(
      {
        mode: 'off',
      },
    );
    const forced = { 'index-without-mediatype': { force: 'yes' } };
    expect(await settingOf({ profile: 'strict' }, forced)).toMatchObject({ mode: 'off', options: { force: 'yes' } });
  });

  it('are suggested by the kind of the registry to an endpoint that names none', async () => {
    const upstreams = { lab: { url: HUB, kind: 'gitlab' } };
    const [suggested] = (await loadValid({ file: { upstreams } })).endpoints;
    expect(suggested?.profile).toEqual({ name: 'gitlab', by: 'kind' });
    const [named] = (await loadValid({ file: { upstreams, endpoints: [{ profile: 'default' }] } })).endpoints;
    expect(named?.profile).toEqual({ name: 'default', by: 'endpoint' });
  });

  it('have names', async () => {
    expect(await mistakesIn({ file: { ...SMALLEST, endpoints: [{ profile: 'strikt' }] } })).toEqual([
      expect.stringMatching(/^endpoints\[0\]\.profile: .*strict/),
    ]);
  });
});

describe('fixes', () => {
  const fixesOf = async (file: string) =>
    (await loadValid({ file: `upstreams: { hub: { url: ${HUB} } }\n${file}` })).endpoints.map(({ fixes }) => fixes);

  it.each([
    ['on', 'on'],
    ['observe', 'observe'],
    ['off', 'off'],
    ['true', 'on'],
    ['false', 'off'],
    ["'off'", 'off'],
    ['{ mode: off }', 'off'],
    ['{ mode: false }', 'off'],
  ])('take the mode %s', async (written, mode) => {
    expect(await fixesOf(`fixes: { watch-only: ${written} }`)).toMatchObject([{ 'watch-only': { mode } }]);
  });

  it('take an option with or without a mode, and a boolean for its words', async () => {
    const yes = { 'add-type': { mode: 'on', options: { force: 'yes' } } };
    expect(await fixesOf('fixes: { add-type: { force: yes } }')).toMatchObject([yes]);
    expect(await fixesOf('fixes: { add-type: { mode: on, force: true } }')).toMatchObject([yes]);
  });

  it('inherit from the global setting what an endpoint leaves out', async () => {
    const file = `
fixes: { add-type: { mode: observe, force: yes }, watch-only: off }
endpoints:
  - { name: a }
  - { name: b, host: b.example.com, fixes: { add-type: on } }
  - { name: c, host: c.example.com, fixes: { add-type: { force: no }, watch-only: on } }
`;
    expect(await fixesOf(file)).toEqual([
      { 'add-type': { mode: 'observe', options: { force: 'yes' } }, 'watch-only': { mode: 'off', options: {} } },
      { 'add-type': { mode: 'on', options: { force: 'yes' } }, 'watch-only': { mode: 'off', options: {} } },
      { 'add-type': { mode: 'observe', options: { force: 'no' } }, 'watch-only': { mode: 'on', options: {} } },
    ]);
  });
});

describe('flags', () => {
  it('go before the environment, which goes before the file', async () => {
    const file = { ...SMALLEST, listen: '127.0.0.1:1', cache: { dir: '/file', maxSize: '1MiB' }, drainTimeout: '1s' };
    const env = { MANIFIX_LISTEN: '127.0.0.1:2', MANIFIX_CACHE_DIR: '/env' };
    const config = await loadValid({ file, env, flags: { listen: '127.0.0.1:3' } });
    expect(config.listen.port).toBe(3);
    expect(config.cache).toMatchObject({ dir: '/env', maxSize: 1_048_576, tagTtl: 60_000 });
    expect(config.drainTimeout).toBe(1000);
  });

  it('set each its key', async () => {
    const flags = { upstream: 'http://127.0.0.1:5001', listen: '[::1]:0', cacheDir: '/c', admin: 'localhost:0' };
    expect(await loadValid({ file: SMALLEST, flags })).toMatchObject({
      listen: { host: '::1', port: 0 },
      admin: { listen: { host: 'localhost', port: 0 } },
      cache: { dir: '/c' },
      upstreams: { hub: { url: 'http://127.0.0.1:5001', kind: 'generic', timeouts: TIMEOUTS } },
    });
  });

  it('that name an upstream and no file need none, and start no admin listener', async () => {
    const flags = { upstream: 'http://127.0.0.1:5001' };
    const config = await loadValid({ flags });
    expect(config.upstreams).toMatchObject({ default: { url: 'http://127.0.0.1:5001', kind: 'generic' } });
    expect(config.endpoints).toMatchObject([{ name: 'default', upstream: 'default' }]);
    expect(config.admin).toBeUndefined();
    const admin = { listen: { host: '127.0.0.1', port: 0 } };
    expect((await loadValid({ flags: { ...flags, admin: '127.0.0.1:0' } })).admin).toEqual(admin);
    expect((await loadValid({ flags, env: { MANIFIX_ADMIN_LISTEN: '127.0.0.1:0' } })).admin).toEqual(admin);
  });

  it('cannot replace one of several upstreams', async () => {
    const file = `upstreams: { a: { url: ${HUB} }, b: { url: ${HUB} } }\nendpoints: [{ upstream: a }]`;
    expect(await mistakesIn({ file, flags: { upstream: 'http://127.0.0.1:5001' } })).toEqual([
      '--upstream: which of the upstreams a, b it replaces is not clear',
    ]);
  });

  it('are named in the mistakes that they bring', async () => {
    expect(await mistakesIn({ flags: { upstream: 'ftp://127.0.0.1', listen: '5000' } })).toEqual([
      'listen: expected HOST:PORT such as 127.0.0.1:5000 or [::1]:5000, got "5000" (set by --listen)',
      'upstreams.default.url: expected an http or https URL such as https://registry.example.com (set by --upstream)',
    ]);
  });
});

describe('a file that cannot be used', () => {
  it.each([
    ['repeated keys', 'a: 1\na: 2\n', 'FILE:2:1: Map keys must be unique'],
    ['a list', '- 1\n', 'FILE: expected a map of keys, such as "upstreams: ..."'],
    ['an alias that leads nowhere', 'a: *b\n', 'FILE: Unresolved alias (the anchor must be set before the alias): b'],
    ['two documents', 'a: 1\n---\nb: 1\n', 'FILE:2:1: A second document begins; there must be only one'],
  ])('is told about: %s', async (_, file, mistake) => {
    expect(await mistakesIn({ file })).toContain(mistake);
  });

  it('is told about when aliases would multiply without end', async () => {
    const levels = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${`*l${n},`.repeat(9)}]`);
    const mistakes = await mistakesIn({ file: `l0: &l0 [x,x,x,x,x,x,x,x,x]\n${levels.join('\n')}\n` });
    expect(mistakes).toEqual([expect.stringContaining('alias')]);
  });

  it('is told about when it was asked for and is not there', async () => {
    expect(await mistakesIn({ flags: { config: '/nonexistent/m.yaml' } })).toEqual([
      '/nonexistent/m.yaml: no such file or directory',
    ]);
    expect(await mistakesIn({ flags: { config: '/' } })).toEqual(['/: is a directory']);
  });

  it('never brings a half-read configuration', async () => {
    expect(await load({ file: 'upstreams: {hub: {url: "https://a.example.com"}}\nlisten: [' })).not.toHaveProperty(
      'config',
    );
  });
});
