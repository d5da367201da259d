import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  codeForStatus,
  ERRORS,
  type ErrorCode,
  explainErrors,
  formatExplanation,
  type OciError,
  parseErrors,
  RegistryError,
  renderError,
} from '../../src/domain/errors.ts';
import type { RouteKind } from '../../src/domain/route.ts';
import { utf8 } from './bytes.ts';

const SAID = 'The tag names a page. See docs/fixes/html-200.md.';

describe('ERRORS', () => {
  it('holds every code of the distribution spec', () => {
    expect(Object.keys(ERRORS)).toEqual(
      expect.arrayContaining([
        'BLOB_UNKNOWN',
        'BLOB_UPLOAD_INVALID',
        'BLOB_UPLOAD_UNKNOWN',
        'DIGEST_INVALID',
        'MANIFEST_BLOB_UNKNOWN',
        'MANIFEST_INVALID',
        'MANIFEST_UNKNOWN',
        'NAME_INVALID',
        'NAME_UNKNOWN',
        'SIZE_INVALID',
        'UNAUTHORIZED',
        'DENIED',
        'UNSUPPORTED',
        'TOOMANYREQUESTS',
      ]),
    );
  });

  it('gives each code an error status and a message', () => {
    for (const { status, message } of Object.values(ERRORS)) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(message).not.toBe('');
    }
  });
});

describe('RegistryError', () => {
  it('takes status and message from the table', () => {
    const error = new RegistryError('MANIFEST_UNKNOWN');
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'RegistryError', code: 'MANIFEST_UNKNOWN', status: 404, headers: [] });
    expect(error.message).toBe('manifest unknown');
    expect(error.cause).toBeUndefined();
  });

  it('keeps what it is given instead', () => {
    const cause = new Error('ECONNREFUSED');
    const headers = [['Retry-After', '5']] as const;
    const error = new RegistryError('UNAVAILABLE', { status: 502, message: 'no answer', headers, cause });
    expect(error).toMatchObject({ status: 502, message: 'no answer', headers, cause });
  });
});

describe('renderError', () => {
  it('is an error in the OCI form', () => {
    expect(renderError(new RegistryError('BLOB_UNKNOWN'))).toBe(
      '{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}',
    );
  });

  it('carries the detail as it is when there is nothing to explain', () => {
    const error = new RegistryError('BLOB_UNKNOWN', { detail: [1] });
    expect(JSON.parse(renderError(error)).errors[0].detail).toEqual([1]);
  });

  it('explains beside the detail, with a link to the page of the fix', () => {
    const error = new RegistryError('UNKNOWN', {
      detail: { upstreamStatus: 200 },
      explanation: 'The tag names a page.',
      fix: 'html-200',
    });
    expect(JSON.parse(renderError(error)).errors[0].detail).toEqual({ upstreamStatus: 200, manifix: SAID });
  });

  it('explains without a link when no fix is concerned', () => {
    const error = new RegistryError('UNKNOWN', { explanation: 'No answer.' });
    expect(JSON.parse(renderError(error)).errors[0].detail).toEqual({ manifix: 'No answer.' });
  });

  it('does not mention a page without an explanation', () => {
    expect(JSON.parse(renderError(new RegistryError('UNKNOWN', { fix: 'html-200' }))).errors[0].detail).toBeUndefined();
  });

  it('is read back by parseErrors for every code', () => {
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      expect(parseErrors(utf8(renderError(new RegistryError(code))))).toEqual([
        { code, message: ERRORS[code].message },
      ]);
    }
  });
});

describe('codeForStatus', () => {
  it.each<[number, RouteKind, ErrorCode]>([
    [401, 'base', 'UNAUTHORIZED'],
    [403, 'blob', 'DENIED'],
    [404, 'manifest', 'MANIFEST_UNKNOWN'],
    [404, 'referrers', 'MANIFEST_UNKNOWN'],
    [404, 'blob', 'BLOB_UNKNOWN'],
    [404, 'upload', 'BLOB_UPLOAD_UNKNOWN'],
    [404, 'upload-start', 'NAME_UNKNOWN'],
    [404, 'tags', 'NAME_UNKNOWN'],
    [405, 'manifest', 'UNSUPPORTED'],
    [413, 'manifest', 'MANIFEST_INVALID'],
    [413, 'upload', 'SIZE_INVALID'],
    [416, 'upload', 'BLOB_UPLOAD_INVALID'],
    [429, 'manifest', 'TOOMANYREQUESTS'],
    [400, 'manifest', 'UNKNOWN'],
    [503, 'blob', 'UNKNOWN'],
  ])('answers %i on %s with %s', (status, kind, code) => {
    expect(codeForStatus(status, kind)).toBe(code);
  });
});

describe('parseErrors', () => {
  it('keeps details of any kind and further members', () => {
    const errors = [
      { code: 'DIGEST_INVALID', message: 'm', detail: 212, hint: 'x' },
      { code: 'UNAUTHORIZED', detail: [{ Type: 'repository' }] },
    ];
    expect(parseErrors(utf8(JSON.stringify({ errors, other: 1 })))).toEqual(errors);
  });

  it.each([
    '',
    '404 page not found\n',
    '<html></html>',
    '[]',
    'null',
    '{}',
    '{"errors":null}',
    '{"errors":[]}',
    '{"errors":{"code":"X"}}',
    '{"errors":[null]}',
    '{"errors":["X"]}',
    '{"errors":[["X"]]}',
    '{"errors":[{}]}',
    '{"errors":[{"code":1}]}',
    '{"errors":[{"code":"X","message":1}]}',
    '{"errors":[{"code":"X"},{"message":"y"}]}',
    '\ufeff{"errors":[{"code":"X"}]}',
  ])('does not take %j for errors', (text) => {
    expect(parseErrors(utf8(text))).toBeUndefined();
  });

  it('refuses a detail too deep to be written again', () => {
    const detail = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(parseErrors(utf8(`{"errors":[{"code":"X","detail":${detail}}]}`))).toBeUndefined();
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(utf8)), (bytes) => {
        expect(() => parseErrors(bytes)).not.toThrow();
      }),
    );
  });
});

describe('explainErrors', () => {
  it.each<[string, unknown, unknown]>([
    ['an object gains a member', { digest: 'x' }, { digest: 'x', manifix: SAID }],
    ['nothing becomes an object', undefined, { manifix: SAID }],
    ['null becomes an object', null, { manifix: SAID }],
    ['a number is kept', 212, { registry: 212, manifix: SAID }],
    ['a string is kept', 'x', { registry: 'x', manifix: SAID }],
    ['an array is kept', [1], { registry: [1], manifix: SAID }],
  ])('explains in the detail: %s', (_name, detail, explained) => {
    const errors: OciError[] = [{ code: 'A', message: 'm', detail, hint: 1 }];
    expect(explainErrors(errors, 'The tag names a page.', 'html-200')).toEqual([
      { code: 'A', message: 'm', detail: explained, hint: 1 },
    ]);
  });

  it('leaves the other errors alone, and its argument', () => {
    const errors: OciError[] = [{ code: 'A' }, { code: 'B' }];
    expect(explainErrors(errors, 'Text.', 'x')[1]).toBe(errors[1]);
    expect(errors[0]).toEqual({ code: 'A' });
  });
});

describe('formatExplanation', () => {
  it('ends with where to read more', () => {
    expect(formatExplanation('The tag names a page.', 'html-200')).toBe(SAID);
  });
});
