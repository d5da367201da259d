import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { createUploadDigests, type UploadDigests } from '../../src/pipeline/upload-digests.ts';

/** One request of a session: sends these bytes and is accepted or not. */
function send(uploads: UploadDigests, session: string, text: string, accepted = true) {
  const observer = uploads.observe(session);
  for (const character of text) observer.observe(Buffer.from(character));
  const total = observer.total();
  observer.settle(accepted ? session : undefined);
  return total;
}

const totalOf = (text: string) => ({ digest: digestOf(Buffer.from(text)), size: text.length });

describe('the digest of an upload', () => {
  it('covers all accepted requests of a session since it was opened', () => {
    const uploads = createUploadDigests();
    uploads.opened('s');
    expect(send(uploads, 's', 'abc')).toEqual(totalOf('abc'));
    expect(send(uploads, 's', 'def')).toEqual(totalOf('abcdef'));
    expect(send(uploads, 's', '')).toEqual(totalOf('abcdef'));
  });

  it('is unknown for a session that was not opened here, also later on', () => {
    const uploads = createUploadDigests();
    expect(send(uploads, 's', 'abc')).toBeUndefined();
    expect(send(uploads, 's', 'def')).toBeUndefined();
  });

  it('is unknown after a request that the registry did not accept, since nobody knows what it kept', () => {
    const uploads = createUploadDigests();
    uploads.opened('s');
    expect(send(uploads, 's', 'abc', false)).toEqual(totalOf('abc'));
    expect(send(uploads, 's', 'def')).toBeUndefined();
  });

  it('can be read while the body is still coming', () => {
    const uploads = createUploadDigests();
    uploads.opened('s');
    const observer = uploads.observe('s');
    observer.observe(Buffer.from('a'));
    expect(observer.total()).toEqual(totalOf('a'));
    observer.observe(Buffer.from('b'));
    expect(observer.total()).toEqual(totalOf('ab'));
  });

  it('does not mix sessions', () => {
    const uploads = createUploadDigests();
    uploads.opened('one');
    uploads.opened('two');
    send(uploads, 'one', 'abc');
    expect(send(uploads, 'two', 'x')).toEqual(totalOf('x'));
    expect(send(uploads, 'one', 'd')).toEqual(totalOf('abcd'));
  });

  it('is remembered for the ten thousand sessions used last', () => {
    const uploads = createUploadDigests();
    for (let count = 0; count < 10_000; count += 1) uploads.opened(`s${count}`);
    send(uploads, 's0', 'used');
    uploads.opened('one more');
    expect(send(uploads, 's0', '!')).toEqual(totalOf('used!'));
    expect(send(uploads, 's1', 'x')).toBeUndefined();
    expect(send(uploads, 's2', 'x')).toEqual(totalOf('x'));
  });
});
