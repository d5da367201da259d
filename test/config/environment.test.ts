import { describe, expect, it } from 'vitest';
import { listKeys } from '../../src/config/reference.ts';
import { configSchema } from '../../src/config/schema.ts';
import { loadValid, mistakesIn, SMALLEST, sampleFixes } from './support.ts';

describe('environment variables', () => {
  it.each([
    ['MANIFIX_LISTEN', '[::1]:0', { listen: { host: '::1', port: 0 } }],
    ['MANIFIX_ADMIN_LISTEN', 'off', { admin: undefined }],
    ['MANIFIX_CACHE_DIR', '/srv/cache', { cache: { dir: '/srv/cache' } }],
    ['MANIFIX_CACHE_MAX_SIZE', '1MiB', { cache: { maxSize: 1_048_576 } }],
    ['MANIFIX_CACHE_SCRUB_RATE', '0', { cache: { scrubRate: 0 } }],
    ['MANIFIX_CACHE_TAG_TTL', '1h', { cache: { tagTtl: 3_600_000 } }],
    ['MANIFIX_UPSTREAMS_HUB_URL', 'http://other', { upstreams: { hub: { url: 'http://other' } } }],
    ['MANIFIX_UPSTREAMS_HUB_KIND', 'dockerhub', { upstreams: { hub: { kind: 'dockerhub' } } }],
    ['MANIFIX_ENDPOINTS_0_NAME', 'team', { endpoints: [{ name: 'team' }] }],
    ['MANIFIX_ENDPOINTS_0_UPSTREAM', 'hub', { endpoints: [{ upstream: 'hub' }] }],
    ['MANIFIX_ENDPOINTS_0_HOST', 'a.example.com', { endpoints: [{ host: 'a.example.com' }] }],
    ['MANIFIX_ENDPOINTS_0_FIXES_ADD_TYPE', 'off', { endpoints: [{ fixes: { 'add-type': { mode: 'off' } } }] }],
    ['MANIFIX_FIXES_ADD_TYPE', 'off', { endpoints: [{ fixes: { 'add-type': { mode: 'off' } } }] }],
    ['MANIFIX_FIXES_ADD_TYPE_FORCE', 'yes', { endpoints: [{ fixes: { 'add-type': { options: { force: 'yes' } } } }] }],
    ['MANIFIX_LOG_LEVEL', 'warn', { log: { level: 'warn' } }],
    ['MANIFIX_LOG_FORMAT', 'json', { log: { format: 'json' } }],
    ['MANIFIX_TRUSTED_PROXIES', '[10.0.0.0/8]', { trustedProxies: ['10.0.0.0/8'] }],
    ['MANIFIX_TRUSTED_PROXIES_0', '10.0.0.1', { trustedProxies: ['10.0.0.1'] }],
    ['MANIFIX_DRAIN_TIMEOUT', '1s', { drainTimeout: 1000 }],
  ])('%s sets its key', async (variable, text, expected) => {
    expect(await loadValid({ file: SMALLEST, env: { [variable]: text } })).toMatchObject(expected);
  });

  it('exist for every key of the reference', async () => {
    const names = listKeys(configSchema(sampleFixes)).map(({ variable }) =>
      variable.replace('<NAME>', 'HUB').replaceAll('<N>', '0').replace('<FIX>', 'ADD_TYPE'),
    );
    expect(names.length).toBeGreaterThan(15);
    for (const name of names) {
      const mistakes = await mistakesIn({ file: SMALLEST, env: { [name]: 'x' } });
      expect(mistakes.join('\n')).not.toContain('unknown variable');
    }
  });

  it('leave the credentials of commands alone', async () => {
    await loadValid({ file: SMALLEST, env: { MANIFIX_USER: 'ann:secret' } });
  });

  it('may be all there is', async () => {
    const env = { MANIFIX_UPSTREAMS_MY_HUB_URL: 'http://hub', MANIFIX_UPSTREAMS_MY_HUB_KIND: 'gitlab' };
    expect((await loadValid({ file: '', env })).upstreams).toMatchObject({
      'my-hub': { url: 'http://hub', kind: 'gitlab' },
    });
  });

  it('mean an upstream of the file, however its name is written', async () => {
    const file = { upstreams: { 'registry.example_one': { url: 'http://a' } } };
    const env = { MANIFIX_UPSTREAMS_REGISTRY_EXAMPLE_ONE_URL: 'http://b' };
    expect((await loadValid({ file, env })).upstreams).toMatchObject({
      'registry.example_one': { url: 'http://b', kind: 'generic' },
    });
  });

  it('may be maps and lists, in YAML or JSON, that others refine', async () => {
    const env = {
      MANIFIX_CACHE_DIR: '/refined',
      MANIFIX_CACHE: '{ dir: /x, maxSize: 1KiB }',
      MANIFIX_UPSTREAMS: '{"a":{"url":"http://a"},"b":{"url":"http://b"}}',
      MANIFIX_ENDPOINTS: '[{ upstream: a }]',
      MANIFIX_ENDPOINTS_1: '{ name: two, upstream: a, host: x }',
      MANIFIX_ENDPOINTS_1_UPSTREAM: 'b',
      MANIFIX_FIXES_ADD_TYPE: '{ mode: observe, force: yes }',
      MANIFIX_FIXES: '{ watch-only: off }',
    };
    const config = await loadValid({ file: '', env });
    expect(config.cache).toMatchObject({ dir: '/refined', maxSize: 1024 });
    expect(config.endpoints).toMatchObject([{ upstream: 'a' }, { name: 'two', upstream: 'b', host: 'x' }]);
    expect(config.endpoints[0]?.fixes).toEqual({
      'add-type': { mode: 'observe', options: { force: 'yes' } },
      'watch-only': { mode: 'off', options: {} },
    });
  });

  it('may set an option beside the short form of a mode', async () => {
    const file = { ...SMALLEST, fixes: { 'add-type': 'observe' } };
    const { endpoints } = await loadValid({ file, env: { MANIFIX_FIXES_ADD_TYPE_FORCE: 'yes' } });
    expect(endpoints[0]?.fixes['add-type']).toEqual({ mode: 'observe', options: { force: 'yes' } });
  });

  it('count as not set when they are empty, and others are left alone', async () => {
    const env = { MANIFIX_LISTEN: '', MANIFIXLISTEN: 'x', PATH: '/bin' };
    expect(await loadValid({ file: SMALLEST, env })).toEqual(await loadValid({ file: SMALLEST }));
  });
});

describe('a wrong variable', () => {
  it.each([
    ['MANIFIX_CACHE_DRI', 'x', 'MANIFIX_CACHE_DRI: unknown variable; did you mean MANIFIX_CACHE_DIR?'],
    ['MANIFIX_CACHE_MAXSIZE', 'x', 'MANIFIX_CACHE_MAXSIZE: unknown variable; did you mean MANIFIX_CACHE_MAX_SIZE?'],
    [
      'MANIFIX_UPSTREAMS_HUB_ULR',
      'x',
      'MANIFIX_UPSTREAMS_HUB_ULR: unknown variable; did you mean MANIFIX_UPSTREAMS_HUB_URL?',
    ],
    [
      'MANIFIX_UPSTREAMS_LAB_ULR',
      'x',
      'MANIFIX_UPSTREAMS_LAB_ULR: unknown variable; did you mean MANIFIX_UPSTREAMS_LAB_URL?',
    ],
    ['MANIFIX_FIXES_ADD_TIPE', 'on', 'MANIFIX_FIXES_ADD_TIPE: unknown variable; did you mean MANIFIX_FIXES_ADD_TYPE?'],
    [
      'MANIFIX_ENDPOINTS_1_NAME',
      'x',
      'MANIFIX_ENDPOINTS_1_NAME: unknown variable; did you mean MANIFIX_ENDPOINTS_0_NAME?',
    ],
    ['MANIFIX_ZEBRA', 'x', 'MANIFIX_ZEBRA: unknown variable; docs/configuration.md lists all of them'],
    ['MANIFIX_', 'x', 'MANIFIX_: unknown variable; docs/configuration.md lists all of them'],
    ['MANIFIX_LISTEN_', 'x', 'MANIFIX_LISTEN_: unknown variable; did you mean MANIFIX_LISTEN?'],
    ['MANIFIX_CACHE', '{', 'MANIFIX_CACHE: expected a value in YAML or JSON'],
    ['MANIFIX_CACHE', 'x', 'cache: expected a map of keys, got "x" (set by MANIFIX_CACHE)'],
    ['MANIFIX_CACHE', '{ dir: 5 }', 'cache.dir: expected a path, got 5 (set by MANIFIX_CACHE)'],
    [
      'MANIFIX_LOG_LEVEL',
      'x',
      'log.level: expected one of debug, info, warn, error, silent, got "x" (set by MANIFIX_LOG_LEVEL)',
    ],
    [
      'MANIFIX_FIXES_ADD_TYPE',
      'x',
      'fixes.add-type: expected one of on, observe, off, got "x" (set by MANIFIX_FIXES_ADD_TYPE)',
    ],
  ])('%s=%s is told', async (variable, text, mistake) => {
    expect(await mistakesIn({ file: SMALLEST, env: { [variable]: text } })).toEqual([mistake]);
  });

  it('leaves no gap in a list, and does not ask for one of any length', async () => {
    const env = { MANIFIX_ENDPOINTS_9999_NAME: 'x', MANIFIX_ENDPOINTS_99999999999_NAME: 'x' };
    expect(await mistakesIn({ file: SMALLEST, env })).toHaveLength(2);
  });

  it('does not hide the mistakes of the file', async () => {
    expect(await mistakesIn({ file: { ...SMALLEST, lisen: 'x' }, env: { MANIFIX_LISEN: 'x' } })).toEqual([
      'MANIFIX_LISEN: unknown variable; did you mean MANIFIX_LISTEN?',
      'lisen: unknown key; did you mean "listen"?',
    ]);
  });
});
