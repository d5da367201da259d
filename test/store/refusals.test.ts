import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../src/domain/audit.ts';
import { createRefusals, type RefusedEvent } from '../../src/store/refusals.ts';
import { createManualClock, type ManualClock } from './support/manual-clock.ts';

const denied: AuditEvent = {
  event: 'denied',
  outcome: 'refused',
  user: 'bob',
  client: '10.0.0.1',
  endpoint: 'team',
  repository: 'app',
  requestId: 'run-1',
  detail: { action: 'pull' },
};
const MINUTE = 60_000;

let clock: ManualClock;
let written: RefusedEvent[];
let refusals: ReturnType<typeof createRefusals>;

beforeEach(() => {
  clock = createManualClock();
  written = [];
  refusals = createRefusals(clock, (event) => void written.push(event));
});

function refuse(times: number, change: (at: number) => Partial<AuditEvent> = () => ({})): void {
  for (let at = 1; at <= times; at += 1) refusals.add({ ...denied, requestId: `run-${at}`, ...change(at) });
}

describe('refused requests', () => {
  it('are told at once when they are the first of their kind, and by their number when the minute is over', () => {
    refuse(100);
    expect(written).toEqual([denied]);
    clock.advance(MINUTE);
    expect(written.slice(1)).toEqual([{ ...denied, requestId: 'run-100', count: 99 }]);
    clock.advance(10 * MINUTE);
    expect(written).toHaveLength(2);
    refuse(1);
    expect(written.slice(2)).toEqual([denied]);
  });

  it.each([
    ['user', { user: 'ann' }],
    ['address', { client: '10.0.0.2' }],
    ['repository', { repository: 'other' }],
    ['endpoint', { endpoint: 'other' }],
    ['action', { detail: { action: 'push' } }],
    ['event', { event: 'push' }],
  ] as const)('are told apart by %s', (_, other) => {
    refuse(2);
    refuse(2, () => other);
    clock.advance(MINUTE);
    expect(written.map(({ count }) => count)).toEqual([undefined, undefined, 1, 1]);
  });

  it('are of one kind whatever the tag or the digest was, which anybody can make up', () => {
    refuse(100, (at) => ({ reference: `${at}` }));
    clock.advance(MINUTE);
    expect(written.map(({ reference, count }) => [reference, count])).toEqual([
      ['1', undefined],
      ['100', 99],
    ]);
  });

  it('of one address with many names take some lines and then one more, and leave room for others', () => {
    refuse(5_000, (at) => ({ repository: `made-up-${at}` }));
    refuse(1, () => ({ client: '10.0.0.2' }));
    clock.advance(MINUTE);
    expect(written).toHaveLength(50 + 1 + 1 + 1);
    expect(written.at(-1)).toEqual({
      event: 'denied',
      outcome: 'refused',
      client: '10.0.0.1',
      detail: { others: true },
      count: 4_949,
    });
    expect(written.some(({ client }) => client === '10.0.0.2')).toBe(true);
  });

  it('of any number of addresses and names take no more than a bounded number of lines, and none goes uncounted', () => {
    refuse(20_000, (at) => ({ client: `10.1.${at % 199}.${at % 251}`, repository: `made-up-${at}` }));
    clock.advance(MINUTE);
    expect(written.length).toBeLessThanOrEqual(2_004);
    expect(written.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(20_000);
  });

  it('are told before their minute is over when that is asked for', () => {
    refuse(3);
    refusals.flush();
    expect(written.map(({ count }) => count)).toEqual([undefined, 2]);
    clock.advance(MINUTE);
    expect(written).toHaveLength(2);
  });
});
