import { describe, expect, it } from 'vitest';
import { type DoubleResponse, errorAnswer } from '../support/double/message.ts';
import { sampleImage } from '../support/images.ts';
import { INDEX, registryThat, repair } from './repairing.ts';

describe('manifix repair that fails on its way', () => {
  it('shows what will change before it writes', async () => {
    await using registry = await registryThat(async ({ method }, respond) => (method === 'PUT' ? 'cut' : respond()));
    const { code, stdout, stderr } = await repair(registry.url, 'app:1');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ {2}at byte 1, 54 bytes more$/m);
    expect(stderr).toContain('the tag still has its old manifest');
  });

  it('writes nothing when the old digest cannot be read', async () => {
    await using registry = await registryThat(({ path }, respond) =>
      path.endsWith(INDEX.digest) && path.includes('/manifests/')
        ? Promise.resolve(errorAnswer(404, 'MANIFEST_UNKNOWN', 'manifest unknown'))
        : respond(),
    );
    const result = await repair(registry.url, 'app:1');
    expect(result).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`GET of ${INDEX.digest} was answered 404`),
    });
    expect(registry.requests.filter(({ method }) => method === 'PUT')).toEqual([]);
  });

  it.each([
    ['cannot be read back', () => errorAnswer(500, 'UNKNOWN', 'broken'), 'GET of 1 was answered 500 broken'],
    [
      'comes back with another Content-Type',
      (answer: DoubleResponse) => ({ ...answer, headers: [['Content-Type', 'application/json'] as const] }),
      'but gives it as application/json: a proxy',
    ],
  ])('gives the tag its old manifest back when what it pushed %s', async (_, spoil, sentence) => {
    let puts = 0;
    await using registry = await registryThat(async ({ method, path }, respond) => {
      const answer = await respond();
      if (method === 'PUT') puts += 1;
      return method === 'GET' && path.endsWith('/manifests/1') && puts === 1 ? spoil(answer) : answer;
    });
    const { code, stderr } = await repair(registry.url, 'app:1');
    expect(code).toBe(1);
    expect(stderr).toContain(sentence);
    expect(stderr).toContain('; the old manifest was put back under the tag\n');
    expect(registry.content.manifest('app', '1')?.digest).toBe(INDEX.digest);
  });

  it('gives the tag its old manifest back when the registry stored other bytes', async () => {
    let puts = 0;
    await using registry = await registryThat(async (request, respond) => {
      if (request.method === 'PUT') puts += 1;
      return request.method === 'PUT' && puts === 1 ? respond({ ...request, body: Buffer.from('{}') }) : respond();
    });
    const { code, stderr } = await repair(registry.url, 'app:1');
    expect(code).toBe(1);
    expect(stderr).toContain('but the tag has the digest sha256:44136fa');
    expect(stderr).toContain('; the old manifest was put back under the tag\n');
    expect(registry.content.manifest('app', '1')?.digest).toBe(INDEX.digest);
  });

  it.each(['took', 'refused'])(
    'leaves alone what somebody else pushed after the registry %s the repair',
    async (fate) => {
      const theirs = sampleImage('oci-amd64');
      await using registry = await registryThat(async ({ method }, respond) => {
        if (method !== 'PUT') return await respond();
        const taken = fate === 'took' ? await respond() : errorAnswer(500, 'UNKNOWN', 'broken');
        registry.content.addImage('app', '1', theirs);
        return taken;
      });
      const { code, stderr } = await repair(registry.url, 'app:1');
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining(`; the tag got ${theirs.digest} from somebody else meanwhile, and keeps it\n`),
      });
      expect(registry.content.manifest('app', '1')?.digest).toBe(theirs.digest);
    },
  );

  it('says so when the tag cannot get its old manifest back', async () => {
    let puts = 0;
    await using registry = await registryThat(async ({ method, path }, respond) => {
      if (method === 'PUT') puts += 1;
      if (method === 'PUT' && puts > 1) return errorAnswer(500, 'UNKNOWN', 'broken');
      const found = await respond();
      return method === 'GET' && path.endsWith('/manifests/1') && puts === 1
        ? { ...found, headers: [['Content-Type', 'application/json'] as const] }
        : found;
    });
    const { code, stderr } = await repair(registry.url, 'app:1');
    expect(code).toBe(1);
    expect(stderr).toContain('the old manifest could not be put back (PUT of 1 was answered 500 broken): see what');
  });

  it('says so when a manifest keeps its wrong type, and leaves its bytes as they are', async () => {
    await using registry = await registryThat(async ({ method }, respond) => {
      const found = await respond();
      return method === 'GET' ? { ...found, headers: [['Content-Type', 'application/json'] as const] } : found;
    });
    registry.content.addImage('app', '1', sampleImage('index'));
    const { code, stderr } = await repair(registry.url, 'app:1');
    expect(code).toBe(1);
    expect(stderr).toContain('but gives it as application/json: a proxy');
    expect(stderr).toContain('; the tag has the same bytes as before\n');
    expect(registry.content.manifest('app', '1')?.manifest.bytes).toEqual(sampleImage('index').bytes);
  });
});
