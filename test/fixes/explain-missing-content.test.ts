import { describe, expect, it } from 'vitest';
import { explainMissingContent } from '../../src/fixes/explain-missing-content.ts';
import { blobRoute, digest, manifestPutView, requestView } from '../support/views.ts';

const digestNumber = (number: number) => digest(`sha256:${number.toString(16).padStart(64, '0')}`);
const layers = [1, 2, 3, 4, 5, 6].map((number) => ({ mediaType: 'a/b', size: 1, digest: digestNumber(number) }));
const image = manifestPutView(
  JSON.stringify({ schemaVersion: 2, config: { mediaType: 'a/c', size: 1, digest: digestNumber(9) }, layers }),
);
const index = manifestPutView(
  JSON.stringify({
    schemaVersion: 2,
    manifests: [{ digest: digestNumber(7), platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } }],
  }),
);
const unknown = (detail: unknown, code = 'MANIFEST_BLOB_UNKNOWN') => ({
  code,
  message: 'blob unknown to registry',
  detail,
});

describe('content that a pushed manifest names and the repository lacks', () => {
  it('is named by its part in the manifest, as docker-registry reports it', () => {
    const explanation = explainMissingContent(image, [unknown(digestNumber(9)), unknown(digestNumber(2))]);
    expect(explanation).toContain(
      `The manifest names config (${digestNumber(9)}), layer 2 (${digestNumber(2)}), which the repository team/app does not have.`,
    );
    expect(explanation).toContain('Push every blob and every child manifest to this repository first');
  });

  it('is found in the object of the specification too', () => {
    expect(explainMissingContent(index, [unknown({ digest: digestNumber(7) }, 'BLOB_UNKNOWN')])).toContain(
      `names child linux/arm64/v8 (${digestNumber(7)}), which`,
    );
  });

  it('is listed up to five parts', () => {
    const errors = layers.map((layer) => unknown(layer.digest));
    expect(explainMissingContent(image, errors)).toContain(`layer 5 (${digestNumber(5)}) and 1 more, which`);
  });

  it('is named by its digest alone when the manifest does not have it, or was not read', () => {
    expect(explainMissingContent(image, [unknown(digestNumber(8))])).toContain(`names ${digestNumber(8)}, which`);
    expect(explainMissingContent(requestView({ method: 'PUT' }), [unknown(digestNumber(8))])).toContain(
      `names ${digestNumber(8)}, which`,
    );
  });

  it.each([undefined, null, {}, { digest: 7 }, 'sha256:short'])(
    'is something when the registry does not say what: %s',
    (detail) => {
      expect(explainMissingContent(image, [unknown(detail)])).toContain('The manifest names something, which');
    },
  );

  it('is not seen in other errors or on other routes', () => {
    expect(explainMissingContent(image, [{ code: 'MANIFEST_INVALID' }])).toBeUndefined();
    expect(explainMissingContent(requestView({ route: blobRoute() }), [unknown(digestNumber(1))])).toBeUndefined();
  });
});
