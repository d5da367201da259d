import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barrier, within } from '../support/deadline.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { sampleImage, sha256 } from '../support/images.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type RegistryDouble, startRegistryDouble } from '../support/registry-double.ts';
import { settled } from '../support/settled.ts';
import { fromCache } from './answers.ts';
import { firstError } from './registry-errors.ts';
import { answerTo, freshBytes, openAnswer, startRequest } from './streaming-client.ts';

const MIB = 1024 * 1024;
const image = sampleImage('oci-amd64');

/** A team for each limit, on one registry and one cache. */
const endpoints = [
  { name: 'free', upstream: 'hub', prefix: 'free' },
  { name: 'asks', upstream: 'hub', prefix: 'asks', limits: { requests: '1/h', burst: 5 } },
  { name: 'repeats', upstream: 'hub', prefix: 'repeats', limits: { requests: '1/h', burst: 20 } },
  { name: 'reads', upstream: 'hub', prefix: 'reads', limits: { bandwidth: '1KiB' } },
  { name: 'fills', upstream: 'hub', prefix: 'fills', limits: { fills: 1 } },
  { name: 'pushes', upstream: 'hub', prefix: 'pushes', limits: { upload: '1MiB' } },
  // The registry gets its uploads in pieces.
  { name: 'cuts', upstream: 'cut', prefix: 'cuts', limits: { upload: '1MiB' } },
];

describe('teams with limits on one registry', () => {
  let gate = barrier();
  let isHeld = false;
  let registry: RegistryDouble;
  let manifix: Manifix;

  beforeAll(async () => {
    registry = await startRegistryDouble({
      intercept: async (request, respondNormally) => {
        if (isHeld && request.path.includes('/blobs/')) await gate.passed;
        return respondNormally();
      },
    });
    registry.content.addImage('app', 'latest', image);
    const { url } = registry;
    const upstreams = { hub: { url }, cut: { url, limits: { maxRequestBody: '64KiB' } } };
    manifix = await startManifix({ config: { upstreams, endpoints } });
  });
  afterAll(async () => {
    gate.release();
    await manifix?.stop();
    await registry?.stop();
  });

  const pull = (team: string, what: string) => exchange(manifix.url, { target: `/v2/${team}/app/${what}` });
  const limited = async (endpoint: string) => {
    const { body } = await exchange(manifix.adminUrl, { target: '/metrics' });
    const line = new RegExp(`^manifix_limited_requests_total\\{endpoint="${endpoint}",limit="(.*)"\\} (\\d+)$`, 'm');
    return line.exec(body.toString())?.slice(1);
  };

  it('answer as many requests as they may, and tell only those who ask for more to come back', async () => {
    const manifest = `manifests/${image.digest}`;
    await fromCache(() => pull('free', manifest));
    const flood = Array.from({ length: 100 }, () => pull('asks', manifest));
    const others = Array.from({ length: 100 }, () => pull('free', manifest));
    const statuses = (answers: readonly HttpAnswer[]) => answers.map(({ status }) => status).toSorted();
    const answers = await Promise.all(flood);
    expect(statuses(answers)).toEqual([...Array(5).fill(200), ...Array(95).fill(429)]);
    expect(statuses(await Promise.all(others))).toEqual(Array(100).fill(200));
    const refused = answers.find(({ status }) => status === 429);
    expect(Number(refused?.header('Retry-After'))).toBeGreaterThan(3_500);
    expect(refused && firstError(refused.body)).toMatchObject({
      code: 'TOOMANYREQUESTS',
      explanation: expect.stringMatching(
        /^The endpoint "asks" answers 1 request an hour \(endpoints\[\]\.limits\.requests\), and more came\. Try again in \d+ s\.$/,
      ),
    });
    expect(await limited('asks')).toEqual(['requests', '95']);
    expect(await limited('free')).toBeUndefined();
  });

  it('count answers that are given again without asking anybody', async () => {
    const statuses: number[] = [];
    // One after the other, so that all but the first can be answered again.
    for (let count = 0; count < 40; count += 1) {
      statuses.push((await pull('repeats', `manifests/${image.digest}`)).status);
    }
    expect(statuses).toEqual([...Array(20).fill(200), ...Array(20).fill(429)]);
  });

  it('send no more bytes than they may, while others have them at once', async () => {
    const bytes = freshBytes(MIB);
    const blob = `blobs/${registry.content.putBlob('app', bytes)}`;
    await fromCache(() => pull('free', blob));
    const slow = await openAnswer(`${manifix.url}/v2/reads/app/${blob}`);
    expect([slow.status, slow.headers['content-length']]).toEqual([200, String(MIB)]);
    await slow.received(1);
    const small = openAnswer(`${manifix.url}/v2/reads/app/manifests/${image.digest}`);
    for (let count = 0; count < 10; count += 1) expect((await pull('free', blob)).body.equals(bytes)).toBe(true);
    // At a KiB in a second all of it takes a quarter of an hour.
    expect(slow.length).toBeLessThan(MIB / 2);
    slow.leave();
    (await small).leave();
    expect((await pull('free', blob)).status).toBe(200);
  });

  it('wait for their own downloads only, and never for what is cached', async () => {
    const contents = Array.from({ length: 4 }, () => freshBytes(1_000));
    const blobs = contents.map((bytes) => `blobs/${registry.content.putBlob('app', bytes)}`);
    const [first = '', second = '', third = '', others = ''] = blobs;
    await fromCache(() => pull('fills', `manifests/${image.digest}`));
    const asked = (blob: string) => registry.requests.filter(({ path }) => path === `/v2/app/${blob}`).length;
    gate = barrier();
    isHeld = true;
    const running = pull('fills', first);
    await registry.requestArrived(({ path }) => path === `/v2/app/${first}`);
    const waiting = [pull('fills', second), pull('fills', third)];
    await settled(() => registry.requests.length);
    expect([asked(second), asked(third)]).toEqual([0, 0]);
    expect((await pull('fills', `manifests/${image.digest}`)).status).toBe(200);
    const elsewhere = [pull('free', others), pull('free', second)];
    // What a team waits for begins at once when another team wants it.
    await registry.requestArrived(({ path }) => path === `/v2/app/${others}`);
    await registry.requestArrived(({ path }) => path === `/v2/app/${second}`);
    expect(asked(third)).toBe(0);
    isHeld = false;
    gate.release();
    const answers = await within('all pulls', Promise.all([running, ...waiting, ...elsewhere]));
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200));
    expect(blobs.map(asked)).toEqual([1, 1, 1, 1]);
  });

  describe('uploads', () => {
    const open = async (team = 'pushes') => {
      const answer = await exchange(manifix.url, { method: 'POST', target: `/v2/${team}/app/blobs/uploads/` });
      expect(answer.status).toBe(202);
      return new URL(answer.header('Location') ?? '', manifix.url);
    };
    const targetOf = ({ pathname, search }: URL) => pathname + search;

    it('of the size that is allowed pass', async () => {
      const bytes = freshBytes(MIB);
      const location = await open();
      location.searchParams.append('digest', sha256(bytes));
      const answer = await exchange(manifix.url, { method: 'PUT', target: targetOf(location), body: bytes });
      expect(answer.status).toBe(201);
    });

    it('that say that they are larger are refused before anything is sent on', async () => {
      const location = await open();
      const before = registry.requests.length;
      const answer = await exchange(manifix.url, {
        method: 'PATCH',
        target: targetOf(location),
        body: freshBytes(MIB + 1),
      });
      expect(answer.status).toBe(413);
      expect(firstError(answer.body)).toEqual({
        code: 'SIZE_INVALID',
        message: 'the blob is larger than this endpoint takes',
        detail: { limit: MIB, received: 0, announced: MIB + 1, manifix: expect.any(String) },
        explanation: `The endpoint "pushes" takes blobs of up to ${MIB} bytes (endpoints[].limits.upload), and ${MIB + 1} bytes were announced. Make the layer smaller, or ask the operator for more.`,
      });
      expect(registry.requests.length).toBe(before);
    });

    it('are counted over all their requests', async () => {
      let location = await open();
      const chunk = freshBytes(MIB / 2);
      const patch = () => exchange(manifix.url, { method: 'PATCH', target: targetOf(location), body: chunk });
      for (let count = 0; count < 2; count += 1) {
        const answer = await patch();
        expect(answer.status).toBe(202);
        location = new URL(answer.header('Location') ?? '', manifix.url);
      }
      const answer = await patch();
      expect([answer.status, firstError(answer.body).detail]).toEqual([
        413,
        expect.objectContaining({ limit: MIB, received: MIB, announced: MIB + MIB / 2 }),
      ]);
    });

    it('with a single POST are as large as others', async () => {
      const target = `/v2/pushes/app/blobs/uploads/?digest=${sha256('whatever')}`;
      const answer = await exchange(manifix.url, { method: 'POST', target, body: freshBytes(MIB + 1) });
      expect([answer.status, firstError(answer.body).code]).toEqual([413, 'SIZE_INVALID']);
    });

    it.each(['pushes', 'cuts'])(
      'that do not say how large they are end where they get too large, and cannot go on: %s',
      async (team) => {
        const location = await open(team);
        const sending = startRequest(location.href, { headers: { 'Transfer-Encoding': 'chunked' } });
        sending.write(freshBytes(MIB));
        sending.write(freshBytes(1));
        const answer = await answerTo(sending);
        answer.resume();
        expect(answer.statusCode).toBe(413);
        sending.destroy();
        const again = await exchange(manifix.url, { method: 'PATCH', target: targetOf(location), body: 'more' });
        expect([again.status, firstError(again.body).code]).toEqual([413, 'SIZE_INVALID']);
        expect(Number((await limited(team))?.[1])).toBeGreaterThanOrEqual(2);
      },
    );
  });
});
