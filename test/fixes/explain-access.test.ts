import { describe, expect, it } from 'vitest';
import type { OciError } from '../../src/domain/errors.ts';
import { explainAccess } from '../../src/fixes/explain-access.ts';
import type { RequestView, ResponseView } from '../../src/fixes/fix.ts';
import { blobRoute, requestView, responseView, uploadRoute } from '../support/views.ts';

function explain(code: string, request: Partial<RequestView> = {}, rest: Partial<ResponseView & OciError> = {}) {
  const { message, ...view } = rest;
  return explainAccess(responseView({ request: requestView(request), status: 400, ...view }), {
    code,
    ...(message !== undefined && { message }),
  });
}

const authorised = { headers: [['authorization', 'Basic x']] as const };

describe('a request that the registry does not carry out', () => {
  it('names the repository for which credentials were not enough', () => {
    expect(explain('UNAUTHORIZED', authorised)).toContain(
      'does not accept them for reading the repository team/app: log in with an account',
    );
    expect(explain('UNAUTHORIZED', { ...authorised, route: { kind: 'catalog' } })).toContain(
      'for reading this address',
    );
    expect(explain('UNAUTHORIZED', { ...authorised, method: 'PUT', route: uploadRoute() })).toContain(
      'for writing to the repository',
    );
  });

  it('leaves the challenge of a first request as it is', () => {
    expect(explain('UNAUTHORIZED')).toBeUndefined();
  });

  it('says whose credentials were refused when they were not those of the client', () => {
    for (const code of ['UNAUTHORIZED', 'DENIED']) {
      expect(explain(code, {}, { accountOf: 'hub' })).toContain(
        'upstreams.hub.credentials of its configuration, whatever credentials the client has, and the registry does not accept that for reading the repository team/app',
      );
    }
  });

  it('names what the account may not do', () => {
    expect(explain('DENIED', { method: 'DELETE' })).toContain('does not allow deleting in the repository team/app');
  });

  it('says how long to wait', () => {
    expect(explain('TOOMANYREQUESTS', {}, { headers: [['Retry-After', '30']] })).toContain('try again in 30 seconds');
    expect(explain('TOOMANYREQUESTS', {}, { headers: [['Retry-After', 'Fri, 31 Dec']] })).toContain(
      'try again in some minutes',
    );
    expect(explain('TOOMANYREQUESTS')).toContain('try again in some minutes');
  });

  it('says how docker-registry is made to delete', () => {
    expect(explain('UNSUPPORTED', { method: 'DELETE' })).toContain('REGISTRY_STORAGE_DELETE_ENABLED=true');
    expect(explain('UNSUPPORTED')).toBeUndefined();
  });

  it.each(['index', 'manifest'])('says that an OCI %s exists but was not asked for', (kind) => {
    const message = `OCI ${kind} found, but accept header does not support OCI ${kind === 'index' ? 'indexes' : 'manifests'}`;
    expect(explain('MANIFEST_UNKNOWN', {}, { message })).toContain(
      `Add application/vnd.oci.image.${kind}.v1+json to it.`,
    );
    expect(explain('MANIFEST_UNKNOWN', { method: 'PUT' }, { message })).toBeUndefined();
    expect(explain('MANIFEST_UNKNOWN', { route: blobRoute() }, { message })).toBeUndefined();
  });

  it('does not pretend to know why a manifest is unknown', () => {
    expect(explain('MANIFEST_UNKNOWN', {}, { message: 'manifest unknown' })).toBeUndefined();
    expect(explain('MANIFEST_UNKNOWN')).toBeUndefined();
  });

  it("explains GitLab's refusal of an index without mediaType", () => {
    const message = 'Schema 1 manifest not supported';
    expect(explain('MANIFEST_INVALID', {}, { message })).toContain('an index without a mediaType');
    expect(explain('MANIFEST_INVALID', {}, { message: 'manifest invalid' })).toBeUndefined();
    expect(explain('MANIFEST_INVALID', { method: 'PUT' }, { message })).toBeUndefined();
    expect(explain('MANIFEST_INVALID', { route: blobRoute() }, { message })).toBeUndefined();
  });

  it('is left as it is where there is nothing to add', () => {
    expect(explain('NAME_UNKNOWN')).toBeUndefined();
  });
});
