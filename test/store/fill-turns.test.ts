import { describe, expect, it } from 'vitest';
import type { FillShare, FillSource } from '../../src/store/types.ts';
import { settled } from '../support/settled.ts';
import { sample } from './support/bytes.ts';
import { createReadySource } from './support/manual-source.ts';
import { openTestStore } from './support/test-store.ts';

const AT_ONCE = 64;
const team = (group: string, enter?: FillShare['enter']): FillShare => ({
  group,
  client: 'bob',
  ...(enter && { enter }),
});
const blob = (name: string) => sample(1_000, name);

/** A source that is held until the test lets it answer. */
function heldSources() {
  const gate = Promise.withResolvers<void>();
  const begun: string[] = [];
  return {
    begun,
    release: () => gate.resolve(),
    source(name: string): FillSource {
      const ready = createReadySource(blob(name).bytes);
      return async (signal, from) => {
        begun.push(name);
        await gate.promise;
        return ready(signal, from);
      };
    },
  };
}

describe('downloads that wait for their turn', () => {
  it('take turns by team, so that nobody waits for all that another team has asked for before', async () => {
    await using opened = await openTestStore();
    const { blobs } = opened.store;
    const held = heldSources();
    const start = (group: string, index: number) => {
      const name = `${group} ${index}`;
      return blobs.startFill(blob(name).digest, held.source(name), 'hub', team(group)).finished;
    };
    const flood = Array.from({ length: 3 * AT_ONCE }, (_, index) => start('flood', index));
    await settled(() => held.begun.length);
    expect(held.begun.length).toBe(AT_ONCE);
    const others = [start('quiet', 0), start('quiet', 1)];
    held.release();
    await Promise.all([...flood, ...others]);
    const places = ['quiet 0', 'quiet 1'].map((name) => held.begun.indexOf(name) - AT_ONCE);
    expect(places[0]).toBeLessThanOrEqual(1);
    expect(places[1]).toBeLessThanOrEqual(3);
  });

  it.each(['before', 'while'])(
    'begin in the place of whoever has his turn first, also of one who joins %s they wait',
    async (when) => {
      await using opened = await openTestStore();
      const { blobs } = opened.store;
      const never = new Promise<never>(() => undefined);
      const entered = Promise.withResolvers<void>();
      const full = () => {
        entered.resolve();
        return never;
      };
      const ended: string[] = [];
      const enter = (name: string) => async () => () => void ended.push(name);
      const { digest, bytes } = blob('wanted by both');
      const waiting = blobs.startFill(digest, createReadySource(bytes), 'hub', team('full', full));
      if (when === 'while') await entered.promise;
      const joined = blobs.startFill(digest, createReadySource(bytes), 'hub', team('free', enter('free')));
      expect(joined).toBe(waiting);
      expect(await waiting.finished).toBe(true);
      await settled(() => ended.length);
      expect(ended).toEqual(['free']);
    },
  );

  it('fail only when nobody has a place any more, and leave none behind', async () => {
    await using opened = await openTestStore();
    const { blobs } = opened.store;
    const [first, second] = [Promise.withResolvers<() => void>(), Promise.withResolvers<() => void>()];
    const { digest, bytes } = blob('nobody');
    const fill = blobs.startFill(
      digest,
      createReadySource(bytes),
      'hub',
      team('a', () => first.promise),
    );
    blobs.startFill(
      digest,
      createReadySource(bytes),
      'hub',
      team('b', () => second.promise),
    );
    let failure: unknown;
    fill.started.catch((error: unknown) => {
      failure = error;
    });
    first.reject(new Error('a waited for too long'));
    await settled(() => (failure === undefined ? 0 : 1));
    expect(failure).toBeUndefined();
    second.reject(new Error('b waited for too long'));
    await expect(fill.finished).rejects.toThrow('b waited for too long');
    expect(await blobs.startFill(digest, createReadySource(bytes), 'hub', team('a')).finished).toBe(true);
  });

  it('give back both places when two come up at the same moment', async () => {
    await using opened = await openTestStore();
    const { blobs } = opened.store;
    const both = Promise.withResolvers<void>();
    let inside = 0;
    const enter = async () => {
      await both.promise;
      inside += 1;
      return () => {
        inside -= 1;
      };
    };
    const { digest, bytes } = blob('two at once');
    const fill = blobs.startFill(digest, createReadySource(bytes), 'hub', team('a', enter));
    blobs.startFill(digest, createReadySource(bytes), 'hub', team('b', enter));
    both.resolve();
    expect(await fill.finished).toBe(true);
    expect(await settled(() => inside)).toBe(0);
  });
});
