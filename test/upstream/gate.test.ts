import { describe, expect, it } from 'vitest';
import { createGate, type ReadLimits } from '../../src/upstream/gate.ts';
import { createFaultClock } from '../support/faults/fault-clock.ts';
import { settled } from '../support/settled.ts';

const signal = new AbortController().signal;

function someGate(limits: ReadLimits) {
  const clock = createFaultClock();
  const entered: { name: string; at: number; leave: () => void }[] = [];
  const gate = createGate('The registry hub', limits, clock);
  const began = clock.now();
  const enter = async (name: string, until = signal) => {
    const leave = await gate.enter(until);
    entered.push({ name, at: clock.now() - began, leave });
  };
  const names = () => entered.map(({ name }) => name);
  return { clock, enter, entered, names, atRest: () => settled(() => entered.length) };
}

describe('reads with a limited number', () => {
  it('wait in the order of arrival until another one is over', async () => {
    const { enter, entered, names, atRest } = someGate({ concurrency: 2 });
    const all = ['a', 'b', 'c', 'd'].map((name) => enter(name));
    await atRest();
    expect(names()).toEqual(['a', 'b']);
    entered[0]?.leave();
    entered[0]?.leave();
    await atRest();
    expect(names()).toEqual(['a', 'b', 'c']);
    entered[1]?.leave();
    await Promise.all(all);
    expect(names()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('wait no longer than clients do', async () => {
    const { clock, enter } = someGate({ concurrency: 1 });
    await enter('a');
    const late = expect(enter('b')).rejects.toMatchObject({ status: 503, headers: [['Retry-After', '1']] });
    clock.advance(10_000);
    await late;
    expect(clock.pending).toBe(0);
  });

  it('do not wait for somebody who has left', async () => {
    const { enter, entered, names } = someGate({ concurrency: 1 });
    await enter('a');
    const gone = new AbortController();
    const left = expect(enter('b', gone.signal)).rejects.toThrow('gone');
    const next = enter('c');
    gone.abort(new Error('gone'));
    await left;
    entered[0]?.leave();
    await next;
    expect(names()).toEqual(['a', 'c']);
  });
});

describe('reads with a limited rate', () => {
  it('are never more than that within a second', async () => {
    const { enter, entered } = someGate({ rate: 2 });
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => enter(name)));
    expect(entered.map(({ at }) => at)).toEqual([0, 0, 1_000, 1_000, 2_000]);
  });

  it('are not held up for ever by a clock that is set back', async () => {
    const { clock, enter, names } = someGate({ rate: 1 });
    await enter('a');
    clock.jump(-1e9);
    await enter('b');
    expect(names()).toEqual(['a', 'b']);
  });

  it('give their place back when their client leaves before their turn', async () => {
    const { enter, names } = someGate({ concurrency: 1, rate: 1 });
    const gone = AbortSignal.abort(new Error('gone'));
    await expect(enter('a', gone)).rejects.toThrow('gone');
    await enter('b');
    expect(names()).toEqual(['b']);
  });
});
