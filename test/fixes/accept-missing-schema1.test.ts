import { describe, expect, it } from 'vitest';
import { headerValues } from '../../src/domain/headers.ts';
import { DOCKER_LIST, DOCKER_MANIFEST, MANIFEST_TYPES, SCHEMA1 } from '../../src/domain/media-type.ts';
import { acceptMissingOci404 } from '../../src/fixes/accept-missing-oci-404.ts';
import { acceptMissingSchema1 } from '../../src/fixes/accept-missing-schema1.ts';
import type { RequestView } from '../../src/fixes/fix.ts';
import { compileFixes } from '../../src/fixes/run.ts';
import { blobRoute, requestView, uploadRoute } from '../support/views.ts';

const apply = (overrides: Partial<RequestView>) => acceptMissingSchema1.request?.(requestView(overrides), {});

describe('accept-missing-schema1', () => {
  it('adds the Docker types when no manifest type is named', () => {
    const change = apply({ headers: [['Accept', 'application/json, */*']] });
    expect(change?.note).toBe('added the Docker manifest types to Accept');
    expect(change?.headers).toEqual([['Accept', `${DOCKER_LIST}, ${DOCKER_MANIFEST}, */*`]]);
  });

  it('makes the whole list together with accept-missing-oci-404, whichever comes first', () => {
    for (const fixes of [
      [acceptMissingOci404, acceptMissingSchema1],
      [acceptMissingSchema1, acceptMissingOci404],
    ]) {
      const outcome = compileFixes(fixes, {}).request(requestView({ headers: [['Accept', '*/*']] }));
      expect(headerValues(outcome.view.headers, 'Accept')).toEqual([`${MANIFEST_TYPES.join(', ')}, */*`]);
      expect(outcome.applied.map(({ id }) => id)).toEqual(fixes.map(({ id }) => id));
    }
  });

  it('is done after one time', () => {
    const headers = apply({})?.headers ?? [];
    expect(apply({ headers, clientHeaders: [] })).toBeUndefined();
  });

  it('leaves a client alone that names a manifest type, old or new', () => {
    for (const type of [...MANIFEST_TYPES, SCHEMA1]) expect(apply({ headers: [['Accept', type]] })).toBeUndefined();
  });
});

describe('accept-on-non-manifest', () => {
  it('leaves the Accept of blobs, uploads, lists and of the base alone', () => {
    for (const route of [blobRoute(), uploadRoute(), { kind: 'catalog' }, { kind: 'base' }] as const) {
      expect(apply({ route })).toBeUndefined();
    }
  });
});
