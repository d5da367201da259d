import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { OCI_INDEX } from '../../src/domain/media-type.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { respond } from '../support/script-steps.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts';
import { someDigest } from '../support/views.ts';

const big = Buffer.from(`{"schemaVersion":2,"manifests":[],"annotations":{"x":"${'y'.repeat(9 * 1024 * 1024)}"}}`);
const small = Buffer.from('{"schemaVersion":2,"manifests":[]}');

let registry: ScriptedUpstream;
let manifix: Manifix;
const get = (target: string): Promise<HttpAnswer> => exchange(manifix.url, { target });
/** An error answer and a cut connection both tell the client that it has not got it. */
const servedWhole = (target: string) =>
  get(target).then(
    ({ status }) => status === 200,
    () => false,
  );
const errorOf = ({ body }: HttpAnswer) => JSON.parse(body.toString()).errors[0];

beforeAll(async () => {
  registry = await startScriptedUpstream();
  registry.on('GET', /\/big\/manifests\//, [respond(200, [['Content-Type', 'application/json']], big)]);
  registry.on('GET', /\/manifests\/sha256:/, [respond(200, [['Content-Type', OCI_INDEX]], small)]);
  registry.on('GET', /\/blobs\//, [respond(200, [], 'other bytes than the digest stands for')]);
  manifix = await startManifix({ upstream: registry.url });
});

afterAll(async () => {
  await manifix.stop();
  await registry.stop();
});

describe('digest-enforcement', () => {
  it('answers 502 instead of a manifest with another digest', async () => {
    const answer = await get(`/v2/app/manifests/${someDigest}`);
    expect(answer.status).toBe(502);
    expect(errorOf(answer)).toMatchObject({
      code: 'UNKNOWN',
      detail: { requested: someDigest, received: digestOf(small) },
    });
  });

  it('never ends a blob with another digest as if it were complete, neither at first nor from the store', async () => {
    expect(await servedWhole(`/v2/app/blobs/${someDigest}`)).toBe(false);
    expect(await servedWhole(`/v2/app/blobs/${someDigest}`)).toBe(false);
  });
});

describe('manifest-too-big-or-odd-size', () => {
  it('passes a manifest over 8 MiB on as it comes, without fixes of it', async () => {
    const answer = await get('/v2/big/manifests/latest');
    expect(answer.body.equals(big)).toBe(true);
    expect(answer.header('Content-Type')).toBe('application/json');
    expect(answer.header('Cache-Status')).toBe('manifix; fwd=bypass');
  });

  it('does not end a manifest over 8 MiB with another digest as if it were complete', async () => {
    await expect(get(`/v2/big/manifests/${someDigest}`)).rejects.toThrow();
  });
});

describe('path-traversal', () => {
  it.each([
    ['/v2/../secret/manifests/latest', 'NAME_INVALID'],
    ['/v2/app/../../etc/manifests/passwd', 'NAME_INVALID'],
    ['/v2/app%2f..%2fother/manifests/latest', 'NAME_INVALID'],
    ['/v2/app/manifests/..%2f..%2fpasswd', 'NAME_INVALID'],
    ['/v2/app/manifests/a%00b', 'NAME_INVALID'],
    ['/v2/app\\..\\other/manifests/latest', 'NAME_INVALID'],
    ['/v2/App/manifests/latest', 'NAME_INVALID'],
    ['/v2/app;x/manifests/latest', 'NAME_INVALID'],
    ['/v2/app/blobs/sha256:../../secret', 'NAME_INVALID'],
    ['/v2/app/blobs/sha256:ABCDEF', 'DIGEST_INVALID'],
    ['/v2/app/manifests/md5:d41d8cd98f00b204e9800998ecf8427e', 'DIGEST_INVALID'],
    [`/v2/app/manifests/${'x'.repeat(129)}`, 'MANIFEST_UNKNOWN'],
  ])('refuses %s with %s and asks the registry nothing', async (target, code) => {
    const before = registry.requests.length;
    const answer = await get(target);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(errorOf(answer).code).toBe(code);
    expect(registry.requests).toHaveLength(before);
  });
});
