import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { referrersMisbehaviour } from '../../src/fixes/referrers-misbehaviour.ts';
import { mediaTypes } from '../support/images.ts';
import { listView, referrersRoute, tagsRoute } from '../support/views.ts';

const typed: HeaderList = [['Content-Type', mediaTypes.ociIndex]];
const applied: HeaderList = [...typed, ['OCI-Filters-Applied', 'artifactType']];
const sbom = { artifactType: 'application/vnd.sbom+json', size: 1 };
const signature = { artifactType: 'application/vnd.sig', size: 2 };
const indexOf = (...manifests: readonly unknown[]) => ({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });

function apply(overrides: Parameters<typeof listView>[1], filter = 'no') {
  return referrersMisbehaviour.list?.(listView(referrersRoute, { headers: typed, ...overrides }), { filter });
}

describe('referrers-misbehaviour', () => {
  it.each([
    ['a page', { headers: [['Content-Type', 'text/html']] as HeaderList }, 'text/html'],
    ['no document', { headers: [] }, 'an untyped document'],
    ['another document', { document: { message: 'log in' } }, mediaTypes.ociIndex],
    ['a document whose manifests are no list', { document: { mediaType: mediaTypes.ociIndex, manifests: 1 } }, 'index'],
    ['status 400', { status: 400, text: 'bad' }, 'status 400'],
    ['status 405', { status: 405 }, 'status 405'],
    ['status 501', { status: 501 }, 'status 501'],
    ['status 500 for a route that is not there', { status: 500, text: 'No such route: /v2/x' }, 'status 500'],
  ])('answers 404 UNSUPPORTED to %s', (_, overrides, words) => {
    const refuse = apply(overrides)?.refuse;
    expect([refuse?.status, refuse?.code]).toEqual([404, 'UNSUPPORTED']);
    expect(refuse?.explanation).toContain(words);
  });

  it.each([401, 403, 404, 429, 500, 502, 503])('leaves status %i alone', (status) => {
    expect(apply({ status, text: 'the database is gone' })).toBeUndefined();
    expect(apply({ status })).toBeUndefined();
  });

  it.each([
    ['without mediaType', { schemaVersion: 2, manifests: [sbom] }, [sbom]],
    ['without schemaVersion', { mediaType: mediaTypes.ociIndex, manifests: [] }, []],
    ['with null for no manifests', { schemaVersion: 2, manifests: null }, []],
    ['without manifests', { schemaVersion: 2, mediaType: mediaTypes.ociIndex }, []],
  ])('completes an index %s', (_, document, manifests) => {
    const change = apply({ document: { ...document, annotations: { kept: 'yes' } } });
    expect(change?.document).toEqual({ ...indexOf(...manifests), annotations: { kept: 'yes' } });
    expect(change?.headers).toEqual(typed);
  });

  it('corrects the type and nothing else of a whole index', () => {
    const change = apply({ headers: [['content-type', 'application/json']], document: indexOf(sbom) });
    expect(change).toEqual({ note: 'made the referrers an OCI index', headers: typed });
  });

  it('drops the claim of a filter that was not applied, or not asked for', () => {
    const document = indexOf(sbom, signature);
    const query = 'artifactType=application%2Fvnd.sig';
    expect(apply({ query, headers: applied, document })).toEqual({
      note: 'made the referrers an OCI index',
      headers: typed,
    });
    expect(apply({ headers: applied, document })?.headers).toEqual(typed);
    expect(apply({ query, headers: applied, document: indexOf(signature) })).toBeUndefined();
  });

  it('filters where the operator chose so', () => {
    const document = indexOf(sbom, 'odd', signature);
    const query = 'artifactType=application/vnd.sbom+json';
    expect(apply({ query, document }, 'yes')).toMatchObject({ document: indexOf(sbom), headers: applied });
    expect(apply({ query, document: indexOf(sbom), headers: applied }, 'yes')).toBeUndefined();
    expect(apply({ document }, 'yes')).toBeUndefined();
    expect(apply({ query, document })).toBeUndefined();
  });

  it('leaves a right index and other lists alone', () => {
    expect(apply({ document: indexOf(sbom) })).toBeUndefined();
    const tags = listView(tagsRoute, { status: 405 });
    expect(referrersMisbehaviour.list?.(tags, { filter: 'no' })).toBeUndefined();
  });
});
