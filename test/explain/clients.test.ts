import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { IMAGE_CLIENTS } from '../../src/domain/image-clients.ts';
import { OCI_INDEX } from '../../src/domain/media-type.ts';
import { PULLS } from '../../src/explain/clients.ts';
import type { Answer, ClientRequest } from '../../src/explain/seen.ts';

const BODY = Buffer.from(`{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[]}`);
const DIGEST = digestOf(BODY);
const OTHER = `sha256:${'1'.repeat(64)}`;
const TARGET = '/v2/app/manifests/1';

interface Registry {
  readonly status?: number;
  readonly type?: string;
  readonly length?: string;
  readonly digest?: string;
  readonly body?: Buffer;
  readonly headStatus?: number;
}

/** A registry that answers every read in this way; what is `''` is left out. */
function registry({
  status = 200,
  headStatus = status,
  type = OCI_INDEX,
  digest = DIGEST,
  body = BODY,
  ...given
}: Registry) {
  const requests: ClientRequest[] = [];
  const fields = {
    'Content-Type': type,
    'Content-Length': given.length ?? String(body.length),
    'Docker-Content-Digest': digest,
  };
  const headers: HeaderList = Object.entries(fields).filter(([, value]) => value !== '');
  const ask = async (request: ClientRequest): Promise<Answer> => {
    requests.push(request);
    const isHead = request.method === 'HEAD';
    return { status: isHead ? headStatus : status, headers, body: isHead ? new Uint8Array() : body };
  };
  return { ask, requests };
}

const complaints = async (given: Registry) => {
  const entries = IMAGE_CLIENTS.map(async (name) => [name, await PULLS[name](registry(given).ask, TARGET)] as const);
  return Object.fromEntries(await Promise.all(entries));
};

describe('the clients that are played', () => {
  it('are content with a registry that does everything right', async () => {
    expect(Object.values(await complaints({}))).toEqual(IMAGE_CLIENTS.map(() => undefined));
  });

  it('ask in the order of the real ones', async () => {
    const asked = await Promise.all(
      IMAGE_CLIENTS.map(async (name) => {
        const { ask, requests } = registry({});
        await PULLS[name](ask, TARGET);
        return requests.map(({ method, target }) => `${method} ${target.replace(DIGEST, 'digest')}`);
      }),
    );
    expect(asked).toEqual([
      [`GET ${TARGET}`],
      [`HEAD ${TARGET}`, 'GET /v2/app/manifests/digest'],
      [`HEAD ${TARGET}`, 'GET /v2/app/manifests/digest'],
      [`GET ${TARGET}`],
      [`HEAD ${TARGET}`, `GET ${TARGET}`],
    ]);
  });

  it('send one Accept line for each type where the real ones do', async () => {
    const { ask, requests } = registry({});
    await PULLS.skopeo(ask, TARGET);
    expect(requests[0]?.headers.filter(([name]) => name === 'Accept')).toHaveLength(6);
  });

  it.each<[string, Registry, Record<string, string>]>([
    [
      'a general type',
      { type: 'application/json' },
      {
        containerd: `could not fetch content descriptor ${DIGEST} (application/json) from remote: not found`,
        dockerd: 'missing signature key',
        skopeo: 'unsupported schema version 2',
        crane: 'unsupported MediaType: application/json',
      },
    ],
    ['text', { type: 'text/plain' }, { containerd: 'no signatures' }],
    [
      'no type',
      { type: '' },
      { dockerd: 'missing or empty Content-Type header', crane: 'response did not include Content-Type header' },
    ],
    [
      'a parameter in the type',
      { type: `${OCI_INDEX}; charset=utf-8` },
      { crane: `unsupported MediaType: ${OCI_INDEX}; charset=utf-8` },
    ],
    [
      'no length',
      { length: '' },
      {
        containerd: `unable to fetch descriptor (${DIGEST}) which reports content size of zero: invalid argument`,
        dockerd: 'missing or empty Content-Length header',
      },
    ],
    ['no digest', { digest: '' }, { crane: 'response did not include Docker-Content-Digest header' }],
    [
      'a malformed digest',
      { digest: 'abc' },
      {
        containerd: '"abc" in header not a valid digest: invalid checksum digest format',
        dockerd: 'invalid checksum digest format',
      },
    ],
    ['another digest', { digest: OTHER }, { containerd: `unexpected commit digest ${DIGEST}, expected ${OTHER}` }],
    [
      'another length',
      { length: '5' },
      { containerd: `failed size validation: ${BODY.length} != 5: failed precondition` },
    ],
    [
      'HEAD refused',
      { headStatus: 404 },
      {
        containerd: `${TARGET}: not found`,
        crane: 'unexpected status code 404 (HEAD responses have no body, use GET for details)',
      },
    ],
    [
      'a page',
      { body: Buffer.from('<html>'), type: 'text/html' },
      {
        skopeo: expect.stringContaining('looking for beginning of value'),
        dockerd: "error unmarshalling content: invalid character '<' looking for beginning of value",
      },
    ],
    [
      'an error page',
      { status: 503, body: Buffer.from('<html>') },
      {
        dockerd: "error parsing HTTP 503 response body: invalid character '<' looking for beginning of value",
        curl: '503',
      },
    ],
    [
      'an error',
      { status: 404, body: Buffer.from('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}') },
      { curl: '404 manifest unknown', skopeo: '404 manifest unknown', dockerd: '404 manifest unknown' },
    ],
  ])('complain as the real ones about %s', async (_, given, expected) => {
    expect(await complaints(given)).toMatchObject(expected);
  });

  it('take a signed schema 1 manifest for what it is, as dockerd does', async () => {
    const body = Buffer.from('{"schemaVersion":1,"fsLayers":[],"history":[],"signatures":[{}]}');
    expect(await PULLS.dockerd(registry({ body, type: 'application/json' }).ask, TARGET)).toBeUndefined();
  });

  it('fetch a digest at once, as dockerd does, and a tag by GET where HEAD says nothing', async () => {
    const byDigest = registry({});
    expect(await PULLS.dockerd(byDigest.ask, `/v2/app/manifests/${DIGEST}`)).toBeUndefined();
    expect(byDigest.requests.map(({ method }) => method)).toEqual(['GET']);
    const { ask, requests } = registry({ digest: '' });
    expect(await PULLS.dockerd(ask, TARGET)).toBeUndefined();
    expect(requests.map(({ method, target }) => `${method} ${target.replace(DIGEST, 'digest')}`)).toEqual([
      `HEAD ${TARGET}`,
      `GET ${TARGET}`,
      'GET /v2/app/manifests/digest',
    ]);
  });

  it('ask with GET, as containerd does, where HEAD is not allowed', async () => {
    const { ask, requests } = registry({ headStatus: 405 });
    expect(await PULLS.containerd(ask, TARGET)).toBeUndefined();
    expect(requests.map(({ method }) => method)).toEqual(['HEAD', 'GET', 'GET']);
  });
});
