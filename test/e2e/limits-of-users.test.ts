import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashSync } from 'bcrypt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { barrier, eventually } from '../support/deadline.ts';
import { exchange } from '../support/http.ts';
import { sampleImage } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { fromCache } from './answers.ts';
import { firstError } from './registry-errors.ts';
import { freshBytes, openAnswer } from './streaming-client.ts';

const MIB = 1024 * 1024;
const image = sampleImage('oci-amd64');
const manifest = `manifests/${image.digest}`;
const basic = (user: string) => `Basic ${Buffer.from(`${user}:secret`).toString('base64')}`;

describe('limits for each user', () => {
  const cleanup = new AsyncDisposableStack();
  let manifix: Manifix;

  beforeAll(async () => {
    const registry = cleanup.use(await startRegistryDouble());
    registry.content.addImage('app', 'latest', image);
    const directory = cleanup.use(await temporaryDirectory());
    const htpasswd = join(directory.path, 'users.htpasswd');
    await writeFile(
      htpasswd,
      ['bob', 'ann', 'eve', 'zoe'].map((user) => `${user}:${hashSync('secret', 4)}\n`).join(''),
    );
    const limits = { requests: '1/h', burst: 20, perUser: { requests: '1/h', burst: 5 } };
    const rights = [{ who: ['authenticated'], allow: ['pull'], repositories: ['**'] }];
    manifix = cleanup.use(
      await startManifix({
        config: {
          upstreams: { hub: { url: registry.url, credentials: 'none' } },
          endpoints: [
            { name: 'open', limits },
            { name: 'team', prefix: 'team', auth: { htpasswd }, rights, limits },
          ],
          trustedProxies: ['127.0.0.1'],
        },
      }),
    );
  });
  afterAll(() => cleanup.disposeAsync());

  const statuses = async (count: number, target: string, headers: Record<string, string>) => {
    const seen: number[] = [];
    // One after the other: some are answered again, others not, and all count.
    for (let index = 0; index < count; index += 1) {
      seen.push(
        (await exchange(manifix.url, { target, headers: { ...headers, 'X-Number': String(index % 2) } })).status,
      );
    }
    return seen;
  };
  const five = (count: number) => [...Array(5).fill(200), ...Array(count - 5).fill(429)];

  it('count by name, from wherever somebody comes', async () => {
    const target = `/v2/team/app/${manifest}`;
    const from = (address: string) => ({ Authorization: basic('bob'), 'X-Forwarded-For': address });
    expect(await statuses(5, target, from('198.51.100.1'))).toEqual(five(5));
    expect(await statuses(3, target, from('198.51.100.2'))).toEqual([429, 429, 429]);
    expect(await statuses(8, target, { Authorization: basic('ann') })).toEqual(five(8));
  });

  it('count by address for those who have no name, as a trusted proxy tells it', async () => {
    const target = `/v2/app/${manifest}`;
    for (const address of ['198.51.100.3', '2001:db8::1']) {
      expect(await statuses(8, target, { 'X-Forwarded-For': address })).toEqual(five(8));
    }
    const refused = await exchange(manifix.url, { target, headers: { 'X-Forwarded-For': '198.51.100.3' } });
    expect(firstError(refused.body).explanation).toMatch(/for each user \(endpoints\[\]\.limits\.perUser\.requests\)/);
  });

  it('are not used up by strangers who are turned away', async () => {
    const target = `/v2/team/app/${manifest}`;
    const answers = await Promise.all(Array.from({ length: 20 }, () => exchange(manifix.url, { target })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(await statuses(8, target, { Authorization: basic('eve') })).toEqual(five(8));
  });

  it('count requests for tokens by themselves, so that whoever has to pause still gets his token', async () => {
    const target = '/token?service=team&scope=repository:team/app:pull';
    const zoe = { Authorization: basic('zoe') };
    expect(await statuses(8, target, zoe)).toEqual(five(8));
    expect(await statuses(8, `/v2/team/app/${manifest}`, zoe)).toEqual(five(8));
    expect((await exchange(manifix.url, { target, headers: zoe })).header('Retry-After')).toMatch(/^\d+$/);
    // Nobody in particular gets a token that is good for nothing, and logins that name no repository may mean any endpoint.
    expect(await statuses(8, target, {})).toEqual(Array(8).fill(200));
    expect(await statuses(8, '/token?service=team', zoe)).toEqual(Array(8).fill(200));
    // Those of a registry count by address.
    const ofRegistry = '/token?service=open&scope=repository:app:pull';
    expect(await statuses(8, ofRegistry, { 'X-Forwarded-For': '198.51.100.4' })).toEqual(five(8));
  });

  it('of one endpoint keep nobody from /v2/, with which clients of all endpoints at the address begin', async () => {
    const target = `/v2/app/${manifest}`;
    for (let at = 10; at < 30; at += 1) await statuses(1, target, { 'X-Forwarded-For': `198.51.100.${at}` });
    const another = { 'X-Forwarded-For': '198.51.100.40' };
    expect(await statuses(1, target, another)).toEqual([429]);
    expect(await statuses(1, '/v2/', another)).toEqual([401]);
    expect(await statuses(8, '/v2/', { Authorization: basic('bob') })).toEqual(Array(8).fill(200));
  });
});

describe('a reload', () => {
  it('changes limits under what runs, cuts nothing and forgets nothing', async () => {
    await using cleanup = new AsyncDisposableStack();
    const gate = barrier();
    let isHeld = false;
    const registry: RegistryDouble = cleanup.use(
      await startRegistryDouble({
        intercept: async (request, respondNormally) => {
          if (isHeld && request.path.includes('/blobs/')) await gate.passed;
          return respondNormally();
        },
      }),
    );
    cleanup.defer(gate.release);
    registry.content.addImage('app', 'latest', image);
    const bytes = freshBytes(4 * MIB);
    const layer = `/v2/app/blobs/${registry.content.putBlob('app', bytes)}`;
    const cold = [1, 2].map(() => `/v2/app/blobs/${registry.content.putBlob('app', freshBytes(1000))}`);
    const directory = cleanup.use(await temporaryDirectory());
    const file = join(directory.path, 'config.yaml');
    const configure = (limits: object) =>
      writeFile(file, stringify({ upstreams: { hub: { url: registry.url } }, endpoints: [{ name: 'a', limits }] }));
    const requests = { requests: '1/h', burst: 10 };
    await configure({ ...requests, bandwidth: '64KiB', fills: 1 });
    const manifix = cleanup.use(await startManifix({ args: ['--config', file] }));
    const reload = async (limits: object) => {
      const count = manifix.output().split('reload: done').length;
      await configure(limits);
      manifix.signal('SIGHUP');
      await eventually('the reload', async () => manifix.output().split('reload: done').length > count || undefined);
    };

    const slow = await openAnswer(manifix.url + layer);
    await slow.received(1);
    isHeld = true;
    const pulls = cold.map((target) => exchange(manifix.url, { target }));
    await registry.requestArrived(({ path }) => cold.includes(path));
    const asked = () => cold.filter((target) => registry.requests.some(({ path }) => path === target)).length;
    expect(asked()).toBe(1);
    await reload({ ...requests, fills: 2 });
    // The waiting download begins, and the slow answer is held up no more.
    await eventually('both downloads run', async () => asked() === 2 || undefined);
    expect((await slow.whole()).equals(bytes)).toBe(true);
    gate.release();
    expect((await Promise.all(pulls)).map(({ status }) => status)).toEqual([200, 200]);
    // Three requests were used up before.
    const answers = [];
    for (let count = 0; count < 10; count += 1) {
      answers.push((await exchange(manifix.url, { target: `/v2/app/${manifest}` })).status);
    }
    expect(answers).toEqual([...Array(7).fill(200), ...Array(3).fill(429)]);
  });
});

describe('the quota of an endpoint', () => {
  it('takes what it used least recently, tells of it, and leaves pulls and other endpoints alone', async () => {
    await using registry = await startRegistryDouble();
    const endpoints = [
      { name: 'small', upstream: 'hub', prefix: 'small', limits: { quota: '2MiB' } },
      { name: 'large', upstream: 'hub', prefix: 'large' },
    ];
    await using manifix = await startManifix({ config: { upstreams: { hub: { url: registry.url } }, endpoints } });
    const blobs = Array.from({ length: 4 }, () => `blobs/${registry.content.putBlob('app', freshBytes(MIB))}`);
    const pull = (team: string, blob: string | undefined) =>
      exchange(manifix.url, { target: `/v2/${team}/app/${blob}` });
    const metric = async (name: string) => {
      const { body } = await exchange(manifix.adminUrl, { target: '/metrics' });
      return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(body.toString())?.[1]);
    };
    await fromCache(() => pull('large', blobs[0]));
    for (const blob of blobs) await fromCache(() => pull('small', blob));
    await eventually(
      'the endpoint is within its quota',
      async () => (await metric('manifix_endpoint_evictions_total\\{endpoint="small"\\}')) === 2 || undefined,
      60_000,
    );
    expect(await metric('manifix_endpoint_cache_bytes\\{endpoint="small"\\}')).toBe(2 * MIB);
    expect(await metric('manifix_endpoint_quota_bytes\\{endpoint="small"\\}')).toBe(2 * MIB);
    expect(await metric('manifix_endpoint_cache_bytes\\{endpoint="large"\\}')).toBe(MIB);
    // What the other endpoint has is there for both; what nobody has any more is fetched again.
    const statuses = [];
    for (const blob of blobs) statuses.push((await pull('small', blob)).header('Cache-Status'));
    expect(statuses[0]).toBe('manifix; hit');
    expect(statuses[1]).toContain('fwd=miss');
    const stats = await exchange(manifix.adminUrl, { target: '/cache/stats' });
    expect(JSON.parse(stats.body.toString()).endpoints).toMatchObject([
      { name: 'large', count: 1, bytes: MIB, quota: null },
      { name: 'small', quota: 2 * MIB },
    ]);
  });
});
