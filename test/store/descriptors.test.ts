import { describe, expect, it } from 'vitest';
import type { ManifestDescriptor } from '../../src/domain/descriptor.ts';
import { createDescriptors } from '../../src/store/descriptors.ts';
import { someDigest } from '../support/views.ts';

const named = (size?: number, role: ManifestDescriptor['role'] = 'layer'): ManifestDescriptor => ({
  role,
  position: 0,
  digest: someDigest,
  ...(size === undefined ? {} : { size }),
});

describe('what manifests say of blobs', () => {
  it('is remembered for each registry', () => {
    const descriptors = createDescriptors();
    descriptors.note('hub', [named(7), { role: 'config', position: 0 }]);
    expect(descriptors.blob('hub', someDigest)).toEqual({ size: 7 });
    expect(descriptors.blob('other', someDigest)).toBeUndefined();
  });

  it('is no size when two disagree, or when none is said', () => {
    const descriptors = createDescriptors();
    descriptors.note('hub', [named(7), named(7), named(8)]);
    expect(descriptors.blob('hub', someDigest)).toEqual({});
    descriptors.note('hub', [named(7)]);
    expect(descriptors.blob('hub', someDigest)).toEqual({});
    descriptors.note('other', [named()]);
    expect(descriptors.blob('other', someDigest)).toEqual({});
  });

  it('leaves out children and subjects, which are no blobs', () => {
    const descriptors = createDescriptors();
    descriptors.note('hub', [named(7, 'child'), named(7, 'subject')]);
    expect(descriptors.blob('hub', someDigest)).toBeUndefined();
  });
});
