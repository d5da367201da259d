import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DigestAlgorithm, digestOf } from '../../src/domain/digest.ts';
import { digestMismatch, verifiedStream } from '../../src/pipeline/verified-stream.ts';
import { within } from '../support/deadline.ts';
import { someDigest } from '../support/views.ts';

describe('a verified stream', () => {
  it('passes on exactly the bytes that have the digest, however they are cut', async () => {
    const algorithm = fc.constantFrom<DigestAlgorithm>('sha256', 'sha384', 'sha512');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1 })), algorithm, async (chunks, name) => {
        const all = Buffer.concat(chunks);
        const verified = verifiedStream(Readable.from(chunks, { objectMode: false }), digestOf(all, name));
        expect(await buffer(verified)).toEqual(all);
      }),
      { numRuns: 50 },
    );
  });

  it('holds the newest chunk back and fails instead of ending when the bytes have another digest', async () => {
    const body = new PassThrough();
    const chunks = verifiedStream(body, someDigest).iterator();
    for (const [sent, seen] of [
      ['a', undefined],
      ['b', 'a'],
      ['c', 'b'],
    ]) {
      body.write(sent);
      if (seen !== undefined) expect(String((await chunks.next()).value)).toBe(seen);
    }
    body.end();
    await expect(chunks.next()).rejects.toMatchObject({ status: 502, code: 'UNKNOWN' });
  });

  it('does not let an empty body pass for content', async () => {
    await expect(buffer(verifiedStream(Readable.from([]), someDigest))).rejects.toMatchObject({ status: 502 });
  });

  it('fails with a body that breaks off', async () => {
    const body = new PassThrough();
    const reading = expect(within('the end', buffer(verifiedStream(body, someDigest)))).rejects.toThrow('cut');
    body.write('abc');
    body.destroy(new Error('cut'));
    await reading;
  });

  it('ends the body when its reader leaves', async () => {
    const body = new PassThrough();
    const closed = new Promise((resolve) => body.once('close', resolve));
    verifiedStream(body, someDigest).destroy();
    await within('the body is closed', closed);
    expect(body.destroyed).toBe(true);
  });
});

describe('a mismatch of digests', () => {
  it('is a 502 that names both digests', () => {
    const received = digestOf(Buffer.from('x'));
    expect(digestMismatch(someDigest, received)).toMatchObject({
      status: 502,
      detail: { requested: someDigest, received },
      fix: 'digest-enforcement',
    });
  });
});
