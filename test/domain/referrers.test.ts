import { describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '../../src/domain/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/domain/media-type.ts';
import {
  distinctReferrers,
  fallbackTag,
  lacksReferrersApi,
  listedReferrers,
  mayLackReferrersApi,
  referrerOf,
  referrersIndex,
} from '../../src/domain/referrers.ts';

const subject = digestOf(Buffer.from('subject'));
const digest = digestOf(Buffer.from('referrer'));
const bytesOf = (document: unknown) => Buffer.from(JSON.stringify(document));
const image = {
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config: { mediaType: 'application/vnd.example.config', digest, size: 2 },
  layers: [],
  subject: { mediaType: OCI_MANIFEST, digest: subject, size: 7 },
};
const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], subject: image.subject };
const descriptorOf = (document: unknown) => referrerOf(bytesOf(document), digest)?.descriptor;

describe('the descriptor of a referrer', () => {
  it('tells what the manifest says of itself', () => {
    const document = { ...image, artifactType: 'example/sbom', annotations: { key: 'value', odd: 7 } };
    const bytes = bytesOf(document);
    expect(referrerOf(bytes, digest)).toEqual({
      subject,
      descriptor: {
        mediaType: OCI_MANIFEST,
        digest,
        size: bytes.length,
        artifactType: 'example/sbom',
        annotations: { key: 'value' },
      },
    });
  });

  it('takes the artifactType of an image from its config, when it has none or an empty one', () => {
    expect(descriptorOf(image)?.artifactType).toBe('application/vnd.example.config');
    expect(descriptorOf({ ...image, artifactType: '' })?.artifactType).toBe('application/vnd.example.config');
    expect(descriptorOf({ ...image, config: {} })).not.toHaveProperty('artifactType');
  });

  it('has no artifactType for an index without one', () => {
    expect(descriptorOf(index)).not.toHaveProperty('artifactType');
    expect(descriptorOf({ ...index, artifactType: 'example/a' })?.artifactType).toBe('example/a');
  });

  it.each([undefined, null, 'text', {}, { odd: 7 }])('leaves annotations out that are %j', (annotations) => {
    expect(descriptorOf({ ...image, annotations })).not.toHaveProperty('annotations');
  });

  it('is made of no manifest without a subject, of an unknown type, or that is no JSON', () => {
    expect(descriptorOf({ ...image, subject: undefined })).toBeUndefined();
    expect(descriptorOf({ subject: image.subject })).toBeUndefined();
    expect(descriptorOf([image])).toBeUndefined();
    expect(referrerOf(Buffer.from('{'), digest)).toBeUndefined();
  });
});

describe('the fallback tag', () => {
  it('is the digest with a hyphen, at most 64 digits long', () => {
    expect(fallbackTag(subject)).toBe(subject.replace(':', '-'));
    expect(fallbackTag(`sha512:${'a'.repeat(128)}` as Digest)).toBe(`sha512-${'a'.repeat(64)}`);
  });

  it('is read as far as its entries have digests', () => {
    const entries = [{ digest, size: 1 }, { digest: 'none' }, { digest: 7 }, {}, null, 'text'];
    expect(listedReferrers(bytesOf({ manifests: entries }))).toEqual([{ digest, size: 1 }]);
    expect(listedReferrers(bytesOf({ manifests: null }))).toEqual([]);
    expect(listedReferrers(Buffer.from('<html>'))).toEqual([]);
  });
});

describe('the list of referrers', () => {
  const referrers = [
    { digest, artifactType: 'a' },
    { digest: subject, artifactType: 'b' },
    { digest, artifactType: 'c' },
  ];

  it('names each digest once, as it came first', () => {
    expect(distinctReferrers(referrers)).toEqual(referrers.slice(0, 2));
  });

  it('is an OCI index of all, or of one artifactType', () => {
    const all = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: referrers };
    expect(referrersIndex(referrers, undefined)).toEqual(all);
    expect(referrersIndex(referrers, 'b')).toEqual({ ...all, manifests: [referrers[1]] });
  });

  it('is missing at a registry that answers 404, 405 or 501', () => {
    expect([200, 400, 401, 403, 404, 405, 429, 500, 501, 503].filter(lacksReferrersApi)).toEqual([404, 405, 501]);
    expect([200, 400, 401, 403, 404, 405, 406, 429, 500, 501].filter(mayLackReferrersApi)).toEqual([
      400, 404, 405, 406, 501,
    ]);
  });
});
