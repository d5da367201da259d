import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { handleSignals } from '../../src/lib/signals.ts';

function signalled(stop: () => Promise<void>, reload: () => Promise<void> = () => Promise.resolve()) {
  const source = new EventEmitter();
  const exited = Promise.withResolvers<number>();
  const codes: number[] = [];
  const exit = (code: number) => {
    codes.push(code);
    exited.resolve(code);
  };
  handleSignals(source, { stop, reload, exit });
  return { source, exited: exited.promise, codes };
}

describe('handleSignals', () => {
  it.each(['SIGTERM', 'SIGINT'])('stops on %s and exits with 0 when that is done', async (signal) => {
    const stopped = Promise.withResolvers<void>();
    const { source, exited, codes } = signalled(() => stopped.promise);

    source.emit(signal);
    expect(codes).toEqual([]);
    stopped.resolve();

    expect(await exited).toBe(0);
  });

  it('exits with 1 when stopping fails', async () => {
    const { source, exited } = signalled(() => Promise.reject(new Error('no')));
    source.emit('SIGTERM');
    expect(await exited).toBe(1);
  });

  it('takes the same signal at once again for the first one, and a later one as an order to exit', () => {
    vi.useFakeTimers();
    try {
      const { source, codes } = signalled(() => new Promise(() => undefined));
      source.emit('SIGINT');
      vi.advanceTimersByTime(100);
      source.emit('SIGINT');
      expect(codes).toEqual([]);

      vi.advanceTimersByTime(1000);
      source.emit('SIGTERM');
      expect(codes).toEqual([1]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('runs reloads one after the other', async () => {
    const events: string[] = [];
    const steps = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let count = 0;
    const reload = async () => {
      const step = steps[count++];
      events.push(`start ${count}`);
      await step?.promise;
      events.push('end');
    };
    const { source } = signalled(() => Promise.resolve(), reload);

    source.emit('SIGHUP');
    source.emit('SIGHUP');
    await expect.poll(() => events).toEqual(['start 1']);
    steps[0]?.resolve();
    await expect.poll(() => events).toEqual(['start 1', 'end', 'start 2']);
  });
});
