import { describe, expect, it } from 'vitest';
import { compileFixes, defaultSetting } from '../../src/fixes/run.ts';
import { schema1OnlyImage } from '../../src/fixes/schema1-only-image.ts';
import { SIGNED_SCHEMA1, SIGNED_SCHEMA1_DIGEST } from '../domain/signed-schema1.ts';
import { sampleImages } from '../support/images.ts';
import { digest, manifestView } from '../support/views.ts';

const view = manifestView({ body: SIGNED_SCHEMA1, digest: digest(SIGNED_SCHEMA1_DIGEST), schema1IsAll: true });
const change = (seen = view) => schema1OnlyImage.manifest?.(seen, {});

describe('schema1-only-image', () => {
  it('asks for the conversion of what is fetched by tag', () => {
    expect(change()).toEqual({ note: `converted the schema 1 image ${SIGNED_SCHEMA1_DIGEST}`, convert: true });
  });

  it('leaves alone what is fetched by digest, what may exist in another form, and everything else', () => {
    expect(change(manifestView({ body: SIGNED_SCHEMA1, schema1IsAll: true, reference: SIGNED_SCHEMA1_DIGEST }))).toBe(
      undefined,
    );
    expect(change({ ...view, schema1IsAll: false })).toBeUndefined();
    for (const { bytes } of sampleImages()) {
      expect(change(manifestView({ body: bytes, schema1IsAll: true }))).toBeUndefined();
    }
  });

  it('observes unless wanted, and names the fix to the pipeline', () => {
    expect(defaultSetting(schema1OnlyImage).mode).toBe('observe');
    const outcome = compileFixes([schema1OnlyImage], { 'schema1-only-image': { mode: 'on', options: {} } });
    expect(outcome.manifest(view).convert).toMatchObject({ id: 'schema1-only-image', mode: 'on' });
    expect(compileFixes([schema1OnlyImage], {}).manifest(view).convert).toBeUndefined();
  });
});
