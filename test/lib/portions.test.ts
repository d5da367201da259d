import { once } from 'node:events';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { portionsOf } from '../../src/lib/portions.ts';
import { within } from '../support/deadline.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe('the parts of a body', () => {
  it('are as large as asked for, whatever pieces the body comes in, and only the last says so', async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(pieces, pieces, fc.integer({ min: 1, max: 10 }), async (before, after, size) => {
        const stream = Readable.from(after.filter(({ length }) => length > 0).map((piece) => Buffer.from(piece)));
        const observed: Uint8Array[] = [];
        const portions = portionsOf(stream, before, (piece) => void observed.push(piece));
        const parts: Uint8Array[] = [];
        for (let last = false; !last; ) {
          const { bytes, isLast } = await portions.take(size);
          expect(bytes.length === size || isLast).toBe(true);
          parts.push(bytes);
          last = isLast;
        }
        expect(Buffer.concat(parts)).toEqual(Buffer.concat([...before, ...after]));
        expect(Buffer.concat(observed)).toEqual(Buffer.concat(after));
        expect(parts.slice(1).every(({ length }) => length > 0)).toBe(true);
      }),
    );
  });

  it('can be put back and taken in other sizes', async () => {
    const portions = portionsOf(Readable.from([Buffer.from('abcdef')]));
    const first = await portions.take(4);
    portions.putBack(first.bytes);
    expect(text((await portions.take(2)).bytes)).toBe('ab');
    portions.putBack(new Uint8Array());
    expect(text((await portions.take(2)).bytes)).toBe('cd');
    const last = await portions.take(100);
    expect([text(last.bytes), last.isLast]).toEqual(['ef', true]);
    portions.putBack(last.bytes);
    const again = await portions.take(1);
    expect([text(again.bytes), again.isLast]).toEqual(['e', false]);
  });

  it('can be left, and the rest of the body flows away', async () => {
    const stream = Readable.from([Buffer.from('ab'), Buffer.from('cd')]);
    const portions = portionsOf(stream);
    await portions.take(1);
    const ended = once(stream, 'end');
    portions.discard();
    await within('end', ended);
  });

  it('fail with the body, and read no further ahead than one piece', async () => {
    let asked = 0;
    const stream = new Readable({
      highWaterMark: 1,
      read() {
        asked += 1;
        if (asked === 3) this.destroy(new Error('cut off'));
        else this.push(Buffer.from('ab'));
      },
    });
    const portions = portionsOf(stream);
    expect(await portions.take(1)).toEqual({ bytes: Buffer.from('a'), isLast: false });
    expect(asked).toBeLessThan(3);
    await expect(portions.take(10)).rejects.toThrow('cut off');
  });
});
