import { describe, expect, it } from 'vitest';
import { DOCKER_MANIFEST, OCI_INDEX, SCHEMA1_SIGNED } from '../../src/domain/media-type.ts';
import type { ResponseView } from '../../src/fixes/fix.ts';
import { putSchema1Reserialised } from '../../src/fixes/put-schema1-reserialised.ts';
import { manifestPutView, requestView, responseView, uploadRoute } from '../support/views.ts';

const schema1 = '{"schemaVersion":1,"name":"team/app","tag":"1","fsLayers":[],"history":[],"signatures":[]}';

function push(body: string, type?: string) {
  return manifestPutView(body, { headers: type === undefined ? [] : [['Content-Type', type]] });
}

const ask = (body: string, type?: string) => putSchema1Reserialised.request?.(push(body, type), {});

const explain = (overrides: Partial<ResponseView>) =>
  putSchema1Reserialised.response?.(
    responseView({
      request: push(schema1, SCHEMA1_SIGNED),
      status: 400,
      errors: [{ code: 'MANIFEST_INVALID', message: 'manifest invalid', detail: { Offset: 481 } }],
      ...overrides,
    }),
    {},
  );

describe('put-schema1-reserialised', () => {
  it.each([DOCKER_MANIFEST, `${DOCKER_MANIFEST}; charset=utf-8`, OCI_INDEX])(
    'refuses schema 1 that is declared as %s, and says where it came from',
    (type) => {
      const change = ask(schema1, type);
      expect(change?.note).toBe('refused a schema 1 manifest');
      expect(change?.refuse).toMatchObject({
        code: 'MANIFEST_INVALID',
        status: 400,
        message: 'this is a schema 1 manifest',
        fix: 'put-schema1-reserialised',
      });
      expect(change?.refuse?.explanation).toContain('a GET whose Accept header names no manifest type');
      expect(change?.refuse?.explanation).toContain('Fetch the manifest again through manifix');
      expect(change?.refuse?.explanation).toContain(`${DOCKER_MANIFEST};`);
    },
  );

  it('goes by the type that the client sent, not by the repaired one', () => {
    const view = { ...push(schema1, DOCKER_MANIFEST), headers: [['Content-Type', SCHEMA1_SIGNED]] as const };
    expect(putSchema1Reserialised.request?.(view, {})?.refuse?.code).toBe('MANIFEST_INVALID');
  });

  it('lets a registry that is set to take schema 1 have it under its own or a general type', () => {
    expect(ask(schema1, SCHEMA1_SIGNED)).toBeUndefined();
    expect(ask(schema1, 'application/json')).toBeUndefined();
    expect(ask(schema1)).toBeUndefined();
  });

  it.each([400, 415, 422, 500])('explains the registry when it refuses it with %s', (status) => {
    const change = explain({ status });
    expect(change?.note).toBe('explained a refused schema 1 manifest');
    expect(change?.explain).toContain('A schema 1 manifest arrived');
  });

  it('explains nothing twice, no success and no other refusal', () => {
    expect(explain({ explained: true })).toBeUndefined();
    expect(explain({ status: 401 })).toBeUndefined();
    expect(
      putSchema1Reserialised.response?.(responseView({ request: push(schema1), status: 201 }), {}),
    ).toBeUndefined();
  });

  it('leaves other manifests and other requests alone', () => {
    expect(ask('{"schemaVersion":2,"config":{},"layers":[]}', DOCKER_MANIFEST)).toBeUndefined();
    expect(ask('not json', DOCKER_MANIFEST)).toBeUndefined();
    const headers = [['Content-Type', DOCKER_MANIFEST]] as const;
    expect(putSchema1Reserialised.request?.(requestView({ headers }), {})).toBeUndefined();
    expect(
      putSchema1Reserialised.request?.(requestView({ method: 'PUT', route: uploadRoute(), headers }), {}),
    ).toBeUndefined();
    expect(putSchema1Reserialised.request?.(requestView({ method: 'PUT', headers }), {})).toBeUndefined();
  });
});
