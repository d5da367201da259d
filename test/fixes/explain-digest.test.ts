import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { explainDigest } from '../../src/fixes/explain-digest.ts';
import type { RequestView, ResponseView } from '../../src/fixes/fix.ts';
import {
  blobRoute,
  manifestPutView,
  manifestRoute,
  requestView,
  responseView,
  someDigest,
  uploadRoute,
  uploadStartRoute,
} from '../support/views.ts';

const layer = Buffer.from('a layer\n');
const other = digestOf(Buffer.from('another'));

function upload(overrides: Partial<RequestView> = {}): RequestView {
  return requestView({
    method: 'PUT',
    route: uploadRoute(),
    query: `_state=x&digest=${someDigest}`,
    hasBody: true,
    ...overrides,
  });
}

const explain = (overrides: Partial<ResponseView>) => explainDigest(responseView({ status: 400, ...overrides }));

describe('a digest that an upload was refused for', () => {
  it('is compared with what arrived, and the usual causes are named', () => {
    const explanation = explain({ request: upload(), received: { digest: digestOf(layer), size: layer.length } });
    expect(explanation).toContain(
      `What arrived has 8 bytes and the digest ${digestOf(layer)}, but the request names ${someDigest}.`,
    );
    expect(explanation).toContain('the directory names that docker save writes are not digests of layers');
    expect(explanation).toContain('curl -d drops newlines');
    expect(explanation).toContain('open a new one with a POST');
  });

  it('is put down to a multipart form where one was sent', () => {
    const request = upload({ headers: [['Content-Type', 'multipart/form-data; boundary=x']] });
    expect(explain({ request, received: { digest: other, size: 9 } })).toContain(
      'It was sent as a multipart form (curl -F)',
    );
  });

  it('is put down to a form where the right bytes arrived as one', () => {
    const request = upload({ headers: [['Content-Type', 'application/x-www-form-urlencoded']] });
    const explanation = explain({ request, received: { digest: someDigest, size: 9 } });
    expect(explanation).toContain('sent as application/x-www-form-urlencoded, which registries read as a form');
    expect(explanation).toContain('Send Content-Type: application/octet-stream.');
  });

  it.each([[[]], [[['Content-Type', 'application/octet-stream']]]] as const)(
    'is not blamed on the client when the right bytes were sent on with %j',
    (headers) => {
      const explanation = explain({ request: upload({ headers }), received: { digest: someDigest, size: 9 } });
      expect(explanation).toContain('as the request says, but the registry got something else');
    },
  );

  it.each([undefined, { digest: digestOf(Buffer.of()), size: 0 }])(
    'is named when nobody saw all of the upload',
    (received) => {
      const explanation = explain({ request: upload(), ...(received && { received }) });
      expect(explanation).toContain(`What was uploaded does not have the digest ${someDigest}.`);
    },
  );

  it('is missed where there is none', () => {
    expect(explain({ request: upload({ query: '_state=x' }) })).toContain('arrived without a digest parameter');
  });

  it.each(['', '39cb81dc', 'AB'.repeat(32)])('is told from what is no digest to a registry: %s', (value) => {
    expect(explain({ request: upload({ query: `digest=${value}` }) })).toContain(
      'The digest parameter is not a digest',
    );
  });

  it('is taken from the POST that carried the whole blob', () => {
    const request = requestView({
      method: 'POST',
      route: uploadStartRoute(),
      query: `digest=${'AB'.repeat(32)}`,
      hasBody: true,
    });
    expect(explain({ request, sent: { ...request, query: '' } })).toContain(`the digest ${someDigest}`);
    expect(explain({ request, sent: upload() })).toContain(`the digest ${someDigest}`);
  });
});

describe('a digest that a manifest was refused for', () => {
  const body = '{\n  "schemaVersion": 2\n}';

  function push(asked: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256') {
    return explain({ request: manifestPutView(body, { route: manifestRoute(digestOf(asked, algorithm)) }) });
  }

  it.each([
    ['a newline more', `${body}\n`, 'With one newline more at its end it would match'],
    ['CRLF', body.replaceAll('\n', '\r\n'), 'With CRLF instead of LF'],
    ['another body', '{}', 'It was changed on the way, or the digest is that of another manifest'],
  ])('is traced to %s', (_, asked, cause) => {
    const explanation = push(Buffer.from(asked));
    expect(explanation).toContain(
      `The manifest that arrived has ${body.length} bytes and the digest ${digestOf(Buffer.from(body))}, but the URL names ${digestOf(Buffer.from(asked))}.`,
    );
    expect(explanation).toContain(cause);
  });

  it('is traced to a newline less, and to LF', () => {
    const asked = manifestRoute(digestOf(Buffer.from(body)));
    expect(explain({ request: manifestPutView(`${body}\n`, { route: asked }) })).toContain(
      'Without the newline at its end',
    );
    expect(explain({ request: manifestPutView(body.replaceAll('\n', '\r\n'), { route: asked }) })).toContain(
      'With LF instead of CRLF',
    );
    expect(explain({ request: manifestPutView(`${body}x\n`, { route: asked }) })).toContain(
      'It was changed on the way',
    );
  });

  it('is computed in the algorithm of the URL', () => {
    expect(push(Buffer.from('{}'), 'sha512')).toContain(digestOf(Buffer.from(body), 'sha512'));
  });

  it('is not what a DELETE by tag is about', () => {
    expect(explain({ request: requestView({ method: 'DELETE' }) })).toContain('deletes manifests by digest only');
  });

  it('is not explained from nothing', () => {
    expect(explain({ request: manifestPutView(body) })).toBeUndefined();
    expect(explain({ request: requestView({ method: 'DELETE', route: manifestRoute(someDigest) }) })).toBeUndefined();
    expect(explain({ request: requestView({ route: blobRoute() }) })).toBeUndefined();
    expect(
      explain({
        request: manifestPutView(body, { route: manifestRoute(someDigest) }),
        sent: upload({ route: blobRoute() }),
      }),
    ).toBeUndefined();
  });
});
