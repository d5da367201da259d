import { describe, expect, it } from 'vitest';
import { DOCKER_MANIFEST, OCI_INDEX } from '../../src/domain/media-type.ts';
import { contentTypeCharset } from '../../src/fixes/content-type-charset.ts';
import type { RequestView } from '../../src/fixes/fix.ts';
import {
  blobRoute,
  manifestPutView,
  manifestView,
  repositoryName,
  requestView,
  responseView,
  someDigest,
} from '../support/views.ts';

const typed = (value: string) => [['Content-Type', value]] as const;
const manifestType = (value: string) => contentTypeCharset.manifest?.(manifestView({ headers: typed(value) }), {});
const referrers: RequestView = requestView({
  route: { kind: 'referrers', repository: repositoryName('team/app'), digest: someDigest },
});

describe('content-type-charset', () => {
  it.each([
    `${OCI_INDEX}; charset=utf-8`,
    `${OCI_INDEX};charset=UTF-8`,
    `${OCI_INDEX}; charset`,
    'Application/Vnd.OCI.Image.Index.V1+json',
  ])('makes %s of a manifest a plain type', (value) => {
    expect(manifestType(value)).toEqual({
      note: 'wrote Content-Type as a plain media type',
      headers: [['Content-Type', OCI_INDEX]],
    });
  });

  it('does the same for a list of referrers and for a manifest that is pushed', () => {
    const list = responseView({ request: referrers, headers: typed(`${OCI_INDEX}; charset=utf-8`) });
    expect(contentTypeCharset.response?.(list, {})?.headers).toEqual(typed(OCI_INDEX));
    const put = manifestPutView('{}', { headers: typed(`${DOCKER_MANIFEST};charset=UTF-8`) });
    expect(contentTypeCharset.request?.(put, {})?.headers).toEqual(typed(DOCKER_MANIFEST));
  });

  it('leaves plain, missing and unreadable types alone', () => {
    expect(manifestType(OCI_INDEX)).toBeUndefined();
    expect(manifestType('nonsense; charset=utf-8')).toBeUndefined();
    expect(contentTypeCharset.manifest?.(manifestView(), {})).toBeUndefined();
  });

  it('leaves everything that is no manifest and no list of referrers alone', () => {
    const headers = typed('application/json; charset=utf-8');
    expect(
      contentTypeCharset.response?.(responseView({ request: referrers, status: 404, headers }), {}),
    ).toBeUndefined();
    const catalog = requestView({ route: { kind: 'catalog' } });
    expect(contentTypeCharset.response?.(responseView({ request: catalog, headers }), {})).toBeUndefined();
    expect(contentTypeCharset.request?.(requestView({ headers }), {})).toBeUndefined();
    expect(
      contentTypeCharset.request?.(requestView({ method: 'PUT', route: blobRoute(), headers }), {}),
    ).toBeUndefined();
  });
});
