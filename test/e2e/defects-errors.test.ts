import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DefectInjector, startDefectInjector } from '../support/defect-injector.ts';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { fixesOf } from './answers.ts';
import { firstError } from './registry-errors.ts';

const unknown = `sha256:${'9'.repeat(64)}`;

describe('defects of errors', () => {
  let injector: DefectInjector;
  let manifix: Manifix;

  beforeAll(async () => {
    injector = await startDefectInjector();
    manifix = await startManifix({ upstream: injector.url });
  });
  afterAll(() => Promise.all([manifix.stop(), injector.stop()]));

  const both = (method: string, target: string): Promise<[HttpAnswer, HttpAnswer]> =>
    Promise.all([exchange(injector.url, { method, target }), exchange(manifix.url, { method, target })]);

  it.each([
    ['html-errors', 'GET', 'manifests/missing', 404, 'MANIFEST_UNKNOWN', '404 from the reverse proxy'],
    ['html-errors', 'GET', `manifests/${unknown}`, 404, 'MANIFEST_UNKNOWN', '404 from the reverse proxy'],
    ['html-errors', 'GET', `blobs/${unknown}`, 404, 'BLOB_UNKNOWN', '404 from the reverse proxy'],
    ['html-404', 'GET', 'tags/list', 404, 'NAME_UNKNOWN', '404 from the reverse proxy'],
    ['html-413', 'PATCH', 'blobs/uploads/1?_state=1', 413, 'SIZE_INVALID', '413 from the reverse proxy'],
    ['html-413', 'PUT', 'manifests/1', 413, 'MANIFEST_INVALID', '413 from the reverse proxy'],
    ['html-503', 'GET', 'manifests/index', 503, 'UNKNOWN', '503 from the reverse proxy'],
    ['html-503', 'GET', `blobs/${unknown}`, 503, 'UNKNOWN', '503 from the reverse proxy'],
    ['html-503', 'POST', 'blobs/uploads/', 503, 'UNKNOWN', '503 from the reverse proxy'],
    ['text-404', 'GET', 'manifests/missing', 404, 'MANIFEST_UNKNOWN', '404 page not found'],
    ['text-404', 'DELETE', `blobs/${unknown}`, 404, 'BLOB_UNKNOWN', '404 page not found'],
    ['json-without-errors', 'GET', 'manifests/missing', 404, 'MANIFEST_UNKNOWN', 'not the format of the specification'],
  ])('%s: %s %s keeps status %i and becomes an OCI error', async (defect, method, path, status, code, words) => {
    const [direct, answer] = await both(method, `/v2/${defect}/${path}`);
    expect(direct.status).toBe(status);
    expect(direct.body.toString()).not.toMatch(/^\{"errors":/);
    expect(answer.status).toBe(status);
    expect(answer.header('Content-Type')).toMatch(/^application\/json/);
    expect(answer.header('Content-Length')).toBe(String(answer.body.length));
    const error = firstError(answer.body);
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect(error.message).not.toContain('<');
    expect(error.detail).toMatchObject({ upstreamStatus: status });
    expect(fixesOf(answer)).toContain('error-body-not-json');
  });

  it.each(['html-errors', 'text-404', 'html-503'])('%s: HEAD keeps its status', async (defect) => {
    for (const path of ['manifests/missing', `blobs/${unknown}`]) {
      const [direct, answer] = await both('HEAD', `/v2/${defect}/${path}`);
      expect([answer.status, answer.body.length]).toEqual([direct.status, 0]);
    }
  });

  it('the healthy segment is untouched: its errors pass byte for byte', async () => {
    for (const path of ['manifests/missing', `manifests/${unknown}`, `blobs/${unknown}`]) {
      const [direct, answer] = await both('GET', `/v2/healthy/${path}`);
      expect([answer.status, answer.body.toString()]).toEqual([direct.status, direct.body.toString()]);
      expect(answer.header('Content-Type')).toBe(direct.header('Content-Type'));
    }
  });

  it.each([
    ['GET', 'manifests/index'],
    ['HEAD', 'manifests/index'],
    ['GET', 'manifests/missing'],
    ['GET', `blobs/${unknown}`],
    ['GET', 'tags/list'],
    ['POST', 'blobs/uploads/'],
  ])('no-api-version: %s %s says registry/2.0 all the same', async (method, path) => {
    const [direct, answer] = await both(method, `/v2/no-api-version/${path}`);
    expect(direct.header('Docker-Distribution-Api-Version')).toBeUndefined();
    expect(answer.header('Docker-Distribution-Api-Version')).toBe('registry/2.0');
  });
});
