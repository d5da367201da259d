import { describe, expect, it } from 'vitest';
import { headerValues } from '../../src/domain/headers.ts';
import {
  DOCKER_MANIFEST,
  MANIFEST_TYPES,
  OCI_INDEX,
  OCI_MANIFEST,
  SCHEMA1_SIGNED,
} from '../../src/domain/media-type.ts';
import { acceptMissingOci404 } from '../../src/fixes/accept-missing-oci-404.ts';
import type { RequestView } from '../../src/fixes/fix.ts';
import { blobRoute, manifestRoute, requestView, someDigest } from '../support/views.ts';

const apply = (overrides: Partial<RequestView>) => acceptMissingOci404.request?.(requestView(overrides), {});
const acceptAfter = (overrides: Partial<RequestView>) => headerValues(apply(overrides)?.headers ?? [], 'Accept');

describe('accept-missing-oci-404', () => {
  it.each([
    ['no Accept', []],
    ['*/*', [['Accept', '*/*']]],
    ['application/json', [['Accept', 'application/json']]],
    ['a range that distribution does not understand', [['Accept', 'application/vnd.oci.image.*']]],
    ['manifest types that the client rules out', [['Accept', `${OCI_INDEX};q=0`]]],
  ] satisfies [string, RequestView['headers']][])('adds the OCI types to %s', (_, headers) => {
    expect(acceptAfter({ headers })).toEqual([`${OCI_INDEX}, ${OCI_MANIFEST}, */*`]);
  });

  it('works by digest and on HEAD', () => {
    expect(apply({ method: 'HEAD' })?.note).toBe('added the OCI manifest types to Accept');
    expect(acceptAfter({ route: manifestRoute(someDigest) })).toHaveLength(1);
  });

  it('is done after one time', () => {
    const headers = apply({ headers: [['Accept', '*/*']] })?.headers ?? [];
    expect(apply({ headers, clientHeaders: [['Accept', '*/*']] })).toBeUndefined();
  });

  it.each([...MANIFEST_TYPES, SCHEMA1_SIGNED])('leaves a client alone that names %s', (type) => {
    expect(apply({ headers: [['Accept', `text/html, ${type}`]] })).toBeUndefined();
  });

  it('goes by what the client named, not by what an earlier fix made of it', () => {
    expect(apply({ headers: [], clientHeaders: [['Accept', DOCKER_MANIFEST]] })).toBeUndefined();
  });

  it('leaves engines alone that read only schema 1, and no later ones', () => {
    expect(apply({ headers: [['User-Agent', 'docker/1.9.1 go/go1.4.2 os/linux']] })).toBeUndefined();
    expect(acceptAfter({ headers: [['User-Agent', 'docker/1.13.1 go/go1.7.5 os/linux']] })).toHaveLength(1);
  });

  it('leaves other requests than reads of manifests alone', () => {
    expect(apply({ method: 'PUT' })).toBeUndefined();
    expect(apply({ method: 'DELETE' })).toBeUndefined();
    expect(apply({ route: blobRoute() })).toBeUndefined();
    expect(apply({ route: { kind: 'base' } })).toBeUndefined();
  });
});

describe('accept-widening-breaks-clients', () => {
  it('keeps an Accept that names any one manifest type as it is', () => {
    for (const type of MANIFEST_TYPES) expect(apply({ headers: [['Accept', `${type}, */*`]] })).toBeUndefined();
  });
});
