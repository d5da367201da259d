import { describe, expect, it } from 'vitest';
import type { Route } from '../../src/domain/route.ts';
import { errorBodyNotJson } from '../../src/fixes/error-body-not-json.ts';
import type { ResponseView } from '../../src/fixes/fix.ts';
import {
  blobRoute,
  repositoryName,
  requestView,
  responseView,
  someDigest,
  uploadRoute,
  uploadStartRoute,
} from '../support/views.ts';

const apply = (overrides: Partial<ResponseView>) => errorBodyNotJson.response?.(responseView(overrides), {});
const at = (route: Route) => requestView({ route });

const nginx413 =
  '<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n<center><h1>413 Request Entity Too Large</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n';

describe('error-body-not-json', () => {
  it('makes the words of an error page the message of an error, and keeps the status', () => {
    expect(apply({ status: 413, text: nginx413, request: at(uploadRoute()) })).toEqual({
      note: 'made an error body of status 413 into JSON',
      headers: [],
      errors: [
        {
          code: 'SIZE_INVALID',
          message: '413 Request Entity Too Large 413 Request Entity Too Large nginx/1.22.1',
          detail: { upstreamStatus: 413 },
        },
      ],
    });
  });

  it.each([
    [404, requestView(), 'MANIFEST_UNKNOWN'],
    [404, at(blobRoute()), 'BLOB_UNKNOWN'],
    [404, at(uploadStartRoute()), 'NAME_UNKNOWN'],
    [404, at({ kind: 'tags', repository: repositoryName('team/app') }), 'NAME_UNKNOWN'],
    [404, at(uploadRoute()), 'BLOB_UPLOAD_UNKNOWN'],
    [404, at({ kind: 'referrers', repository: repositoryName('team/app'), digest: someDigest }), 'MANIFEST_UNKNOWN'],
    [401, requestView(), 'UNAUTHORIZED'],
    [403, requestView(), 'DENIED'],
    [405, requestView(), 'UNSUPPORTED'],
    [413, requestView(), 'MANIFEST_INVALID'],
    [416, at(uploadRoute()), 'BLOB_UPLOAD_INVALID'],
    [429, requestView(), 'TOOMANYREQUESTS'],
    [503, requestView(), 'UNKNOWN'],
  ] as const)('picks the code of a %s by what was asked for', (status, request, code) => {
    expect(apply({ status, text: '404 page not found\n', request })?.errors?.[0]).toMatchObject({
      code,
      message: '404 page not found',
    });
  });

  it('keeps all header fields but those of the body', () => {
    const headers = [
      ['WWW-Authenticate', 'Basic realm="r"'],
      ['content-type', 'text/html'],
      ['Content-Length', '7'],
      ['Content-Encoding', 'identity'],
      ['Retry-After', '3'],
    ] as const;
    expect(apply({ status: 401, text: 'no', headers })?.headers).toEqual([
      ['WWW-Authenticate', 'Basic realm="r"'],
      ['Retry-After', '3'],
    ]);
  });

  it('uses the message of the code where there are no words', () => {
    expect(apply({ status: 404 })?.errors?.[0]?.message).toBe('manifest unknown');
    expect(apply({ status: 404, text: ' <br>\n' })?.errors?.[0]?.message).toBe('manifest unknown');
  });

  it('leaves out scripts, styles and control characters, and stops at 200 characters', () => {
    const text = `<style>b{}</style><script>alert("x")</script>a\u0000\u001b[31mb ${'ä'.repeat(300)}`;
    const message = apply({ status: 500, text })?.errors?.[0]?.message ?? '';
    expect(message).toMatch(/^a \[31mb ä+$/);
    expect(Array.from(message)).toHaveLength(200);
  });

  it('is quick with a page that is nothing but tags that do not end', () => {
    const message = apply({ status: 500, text: '<style '.repeat(9_000) })?.errors?.[0]?.message;
    expect(message).toHaveLength(200);
  });

  it('leaves errors in the right form, successes and HEAD alone', () => {
    const errors = [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }];
    expect(apply({ status: 404, text: '{"errors":[{}]}', errors })).toBeUndefined();
    expect(apply({ status: 308 })).toBeUndefined();
    expect(apply({ status: 404, request: requestView({ method: 'HEAD' }) })).toBeUndefined();
  });

  it('leaves the JSON of an extension to the clients of that extension', () => {
    const request = at({ kind: 'other', path: '/v2/token' });
    const text = '{"error":"invalid_grant"}';
    expect(apply({ status: 400, text, request, headers: [['Content-Type', 'application/json']] })).toBeUndefined();
    expect(apply({ status: 404, text: '404 page not found', request })?.errors?.[0]?.code).toBe('NAME_UNKNOWN');
    expect(apply({ status: 404, text, headers: [['Content-Type', 'application/json']] })?.errors).toHaveLength(1);
  });
});
