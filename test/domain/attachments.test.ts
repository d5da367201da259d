import { describe, expect, it } from 'vitest';
import { attachedTo, attachmentTags } from '../../src/domain/attachments.ts';
import { digestOf } from '../../src/domain/digest.ts';

const digest = digestOf(new Uint8Array());

describe('a tag that belongs to a digest', () => {
  it('is named after it, by cosign with a suffix', () => {
    const name = digest.replace(':', '-');
    expect(attachmentTags(digest)).toEqual([`${name}.sig`, `${name}.att`, `${name}.sbom`, name]);
  });

  it('tells the digest', () => {
    expect(attachmentTags(digest).map(attachedTo)).toEqual([digest, digest, digest, digest]);
  });

  it.each(['latest', '', 'sha256-12', `${digest.replace(':', '-')}.other`, `x${digest.replace(':', '-')}`])(
    'is not "%s"',
    (tag) => {
      expect(attachedTo(tag)).toBeUndefined();
    },
  );
});
