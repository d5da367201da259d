import { describe, expect, it } from 'vitest';
import { describeRole, type ManifestDescriptor } from '../../src/domain/descriptor.ts';

describe('describeRole', () => {
  it.each<[ManifestDescriptor, string]>([
    [{ role: 'config', position: 0 }, 'config'],
    [{ role: 'layer', position: 2 }, 'layer 3'],
    [{ role: 'child', position: 1, platform: 'linux/arm64/v8' }, 'child linux/arm64/v8'],
    [{ role: 'child', position: 1 }, 'child 2'],
    [{ role: 'subject', position: 0 }, 'subject'],
  ])('names %j as %j', (descriptor, name) => {
    expect(describeRole(descriptor)).toBe(name);
  });
});
