import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { newlineVariants, undamaged } from '../../src/domain/newlines.ts';

const bytes = (text: string) => Buffer.from(text);

describe('what text tools do to newlines', () => {
  it.each([
    ['lost-newline', '{\n}\n', '{\n}'],
    ['added-newline', '{\n}', '{\n}\n'],
    ['crlf', '{\n}\n', '{\r\n}\r\n'],
    ['lf', '{\r\n}\r\n', '{\n}\n'],
  ] as const)('is recognised and undone: %s', (damage, original, arrived) => {
    const found = undamaged(bytes(arrived), digestOf(bytes(original)));
    expect([found?.damage, found && Buffer.from(found.bytes).toString()]).toEqual([damage, original]);
  });

  it('leaves every byte that is not a newline', () => {
    const arrived = Buffer.from([0xff, 0x0d, 0x0a, 0x80]);
    expect(newlineVariants(arrived).map((variant) => [...variant.bytes])).toEqual([
      [0xff, 0x0d, 0x0a, 0x80, 0x0a],
      [0xff, 0x0a, 0x80],
    ]);
  });

  it('is not seen where the bytes are what they should be, or quite another thing', () => {
    expect(undamaged(bytes('{}'), digestOf(bytes('{}')))).toBeUndefined();
    expect(undamaged(bytes('{}'), digestOf(bytes('[]')))).toBeUndefined();
    expect(undamaged(bytes('{}'), digestOf(bytes('{}\n'), 'sha512'))?.damage).toBe('lost-newline');
  });
});
