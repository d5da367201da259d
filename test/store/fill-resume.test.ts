import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { within } from '../support/deadline.ts';
import { drain, KIB, type Sample, sample } from './support/bytes.ts';
import { createManualClock } from './support/manual-clock.ts';
import { createManualSource, type SourceCall } from './support/manual-source.ts';
import { blobPaths, openTestStore, partNames } from './support/test-store.ts';

const SIZE = 300 * KIB;

const length = (size: number): HeaderList => [['Content-Length', String(size)]];
const contentRange = (text: string): HeaderList => [['Content-Range', text]];

/** A fill of 300 KiB whose first answer was cut after `cutAt` bytes, with a reader that wants all of it. */
async function cutFill(cutAt: number, announced: number | undefined = SIZE) {
  const clock = createManualClock();
  const opened = await openTestStore({ clock });
  const content = sample(SIZE);
  const upstream = createManualSource();
  const fill = opened.store.blobs.startFill(content.digest, upstream.source);
  const first = await upstream.call(0);
  first.answer(200, announced === undefined ? [] : length(announced));
  await fill.started;
  const read = drain(fill.reader());
  read.catch(() => undefined);
  await sendAndCut(first, content.bytes.subarray(0, cutAt));
  return { opened, clock, content, upstream, fill, read, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

/** Cuts behind the bytes: destroying a stream drops what nobody took yet. */
async function sendAndCut(call: SourceCall, bytes: Uint8Array): Promise<void> {
  if (bytes.length > 0) {
    const taken = new Promise((resolve) => call.body.once('data', resolve));
    call.send(bytes);
    await within('the bytes in front of the cut', taken);
  }
  call.cut();
}

function answerRest(call: SourceCall, { bytes }: Sample): void {
  const from = call.from ?? 0;
  call.answer(206, contentRange(`bytes ${from}-${bytes.length - 1}/${bytes.length}`));
  call.send(bytes.subarray(from));
  call.end();
}

function answerWhole(call: SourceCall, { bytes }: Sample): void {
  call.answer(200, length(bytes.length));
  call.send(bytes);
  call.end();
}

describe('a transfer that is cut', () => {
  it.each([1, 65_535, 65_536, SIZE / 2, SIZE - 1])('at byte %i goes on where it stopped', async (cutAt) => {
    await using cut = await cutFill(cutAt);
    const second = await cut.upstream.call(1);
    expect(second.from).toBe(cutAt);
    answerRest(second, cut.content);
    expect((await within('the reader', cut.read)).equals(cut.content.bytes)).toBe(true);
    expect(await cut.fill.finished).toBe(true);
    expect(cut.opened.store.counters()).toMatchObject({ resumed: 1, fills: 1 });
  });

  it('before its first byte is asked for anew, without a range', async () => {
    await using cut = await cutFill(0);
    const second = await cut.upstream.call(1);
    expect(second.from).toBeUndefined();
    answerWhole(second, cut.content);
    expect((await within('the reader', cut.read)).equals(cut.content.bytes)).toBe(true);
  });

  it('behind its last byte is complete', async () => {
    await using cut = await cutFill(SIZE);
    expect((await within('the reader', cut.read)).equals(cut.content.bytes)).toBe(true);
    expect(cut.upstream.calls.length).toBe(1);
  });

  it('several times goes on each time', async () => {
    await using cut = await cutFill(10_000);
    for (let number = 1; number <= 5; number += 1) {
      const call = await cut.upstream.call(number);
      const from = call.from ?? 0;
      expect(from).toBe(number * 10_000);
      call.answer(206, contentRange(`bytes ${from}-${SIZE - 1}/${SIZE}`));
      await sendAndCut(call, cut.content.bytes.subarray(from, from + 10_000));
    }
    answerRest(await cut.upstream.call(6), cut.content);
    expect((await within('the reader', cut.read)).equals(cut.content.bytes)).toBe(true);
  });

  it('goes on when the length was not announced at first', async () => {
    await using cut = await cutFill(100_000, undefined);
    answerRest(await cut.upstream.call(1), cut.content);
    expect((await within('the reader', cut.read)).equals(cut.content.bytes)).toBe(true);
  });

  it('by a regular end in front of the announced length goes on too', async () => {
    await using opened = await openTestStore();
    const content = sample(SIZE);
    const { source, call } = createManualSource();
    const fill = opened.store.blobs.startFill(content.digest, source);
    const first = await call(0);
    first.answer(200, length(SIZE));
    const read = drain(fill.reader());
    first.send(content.bytes.subarray(0, 1000));
    first.end();
    answerRest(await call(1), content);
    expect((await within('the reader', read)).equals(content.bytes)).toBe(true);
  });

  it('skips what it has when the registry starts over', async () => {
    await using cut = await cutFill(100_000);
    answerWhole(await cut.upstream.call(1), cut.content);
    expect((await within('the reader', cut.read)).equals(cut.content.bytes)).toBe(true);
    expect(await cut.fill.finished).toBe(true);
  });

  it('accepts starting over only once', async () => {
    await using cut = await cutFill(100_000);
    const second = await cut.upstream.call(1);
    second.answer(200, length(SIZE));
    await sendAndCut(second, cut.content.bytes.subarray(0, 150_000));
    const third = await cut.upstream.call(2);
    expect(third.from).toBe(150_000);
    third.answer(200, length(SIZE));
    await within('the refused body', third.closed);
    await advanceOnceWaiting(cut.clock, 250);
    answerRest(await cut.upstream.call(3), cut.content);
    expect((await within('the reader', cut.read)).equals(cut.content.bytes)).toBe(true);
  });

  it.each([
    ['another start', `bytes 99999-${SIZE - 1}/${SIZE}`],
    ['a later start', `bytes 100001-${SIZE - 1}/${SIZE}`],
    ['another total', `bytes 100000-${SIZE}/${SIZE + 1}`],
    ['an unknown total', `bytes 100000-${SIZE - 1}/*`],
    ['an end before the end', `bytes 100000-200000/${SIZE}`],
    ['no Content-Range', undefined],
  ])('splices in no answer with %s', async (_what, range) => {
    await using cut = await cutFill(100_000);
    const second = await cut.upstream.call(1);
    second.answer(206, range === undefined ? [] : contentRange(range));
    second.send(Buffer.alloc(SIZE - 100_000));
    second.end();
    await within('the refused body', second.closed);
    await advanceOnceWaiting(cut.clock, 250);
    answerRest(await cut.upstream.call(2), cut.content);
    expect((await within('the reader', cut.read)).equals(cut.content.bytes)).toBe(true);
  });

  it('stores nothing when the content changed between the two halves', async () => {
    await using cut = await cutFill(100_000);
    const other = Buffer.from(cut.content.bytes);
    other[200_000] = (other[200_000] ?? 0) ^ 1;
    answerRest(await cut.upstream.call(1), { ...cut.content, bytes: other });
    await expect(cut.read).rejects.toMatchObject({ status: 502 });
    await expect(cut.fill.finished).rejects.toThrow();
    expect(await blobPaths(cut.opened.directory)).toEqual([]);
  });

  it.each([
    ['refuses', (call: SourceCall) => call.answer(503, [])],
    ['cannot be reached', (call: SourceCall) => call.refuse(new Error('connect ECONNREFUSED'))],
    ['starts over with another length', (call: SourceCall) => call.answer(200, length(SIZE + 1))],
    ['starts over with an unusable length', (call: SourceCall) => call.answer(200, [['Content-Length', 'many']])],
    [
      'is cut at once',
      (call: SourceCall) => {
        call.answer(206, contentRange(`bytes 100000-${SIZE - 1}/${SIZE}`));
        call.cut();
      },
    ],
  ])('ends after three tries when the registry %s', async (_what, answer) => {
    await using cut = await cutFill(100_000);
    const failure = expect(cut.read).rejects.toMatchObject({
      status: 502,
      explanation: expect.stringContaining(`after 100000 of ${SIZE} bytes`),
    });
    for (const [number, pause] of [
      [1, 250],
      [2, 1_000],
      [3, 0],
    ] as const) {
      const call = await cut.upstream.call(number);
      answer(call);
      if (pause > 0) await advanceOnceWaiting(cut.clock, pause);
    }
    await within('the end', failure);
    expect(cut.upstream.calls.length).toBe(4);
    await expect(cut.fill.finished).rejects.toThrow();
    expect(await partNames(cut.opened.directory)).toEqual([]);
  });
});

/** Moves time on as soon as somebody waits for it. */
async function advanceOnceWaiting(clock: ReturnType<typeof createManualClock>, milliseconds: number): Promise<void> {
  await within(`a pause of ${milliseconds} ms`, clock.waitedFor(milliseconds));
  clock.advance(milliseconds);
}
