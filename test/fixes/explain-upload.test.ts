import { describe, expect, it } from 'vitest';
import { explainUpload, explainUploadType } from '../../src/fixes/explain-upload.ts';
import type { RequestView } from '../../src/fixes/fix.ts';
import { manifestRoute, requestView, someDigest, uploadRoute, uploadStartRoute } from '../support/views.ts';

const error = { code: 'BLOB_UPLOAD_INVALID' };

const put = (query: string, detail?: unknown) =>
  explainUpload(requestView({ method: 'PUT', route: uploadRoute(), query }), { ...error, detail });

describe('an upload that the registry does not know or accept', () => {
  it.each([
    ['a second question mark', `_state=x?digest=${someDigest}`, 'The URL has a second ?'],
    ['state that was encoded twice', `_state=x%253D&digest=${someDigest}`, 'percent-encoded twice (%25)'],
    ['lost state', `digest=${someDigest}`, 'The URL carries no upload state'],
    ['a session that is over', `_state=x&digest=${someDigest}`, 'The upload session has moved on or is over'],
  ])('is explained by %s', (_, query, expected) => {
    expect(put(query)).toContain(expected);
  });

  it.each([
    ['a byte offset', 212, 'The upload state in the URL is damaged at its byte 212.'],
    ['an empty object', {}, 'The registry did not sign the upload state in the URL'],
    ['nothing', null, 'The upload session has moved on or is over'],
    ['anything else', { Offset: 1 }, 'The upload session has moved on or is over'],
  ])('is explained by the detail of docker-registry: %s', (_, detail, expected) => {
    expect(put('_state=x', detail)).toContain(expected);
  });

  it('says what belongs behind a Location, with or without a digest', () => {
    expect(put(`digest=${someDigest}`)).toContain('with &digest=sha256:<hex> appended to its query');
    expect(put('')).toContain('in quotes, with its query.');
  });

  it('is explained by the GET that curl makes of a redirected POST', () => {
    expect(explainUpload(requestView({ route: uploadStartRoute() }), error)).toContain(
      'A GET arrived where uploads are opened with a POST',
    );
  });

  it('is not explained where nothing is known', () => {
    expect(explainUpload(requestView({ method: 'POST', route: uploadStartRoute() }), error)).toBeUndefined();
    expect(explainUpload(requestView({ route: manifestRoute() }), error)).toBeUndefined();
  });
});

describe('a chunk that the registry failed on', () => {
  const chunk = (type: string | undefined, overrides: Partial<RequestView> = {}) =>
    explainUploadType(
      requestView({
        method: 'PATCH',
        route: uploadRoute(),
        headers: type === undefined ? [] : [['Content-Type', type]],
        ...overrides,
      }),
    );

  it('is explained by its Content-Type', () => {
    expect(chunk('application/json')).toContain('The chunk was sent as application/json');
  });

  it('is not explained where the type was right or is of no account', () => {
    expect(chunk('application/octet-stream')).toBeUndefined();
    expect(chunk(undefined)).toBeUndefined();
    expect(chunk('application/json', { method: 'PUT' })).toBeUndefined();
    expect(chunk('application/json', { route: manifestRoute() })).toBeUndefined();
  });
});
