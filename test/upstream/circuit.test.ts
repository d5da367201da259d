import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { createCircuit } from '../../src/upstream/circuit.ts';

const refused = new RegistryError('UNAVAILABLE', { status: 502, message: 'The registry hub refused the connection' });
const late = new RegistryError('UNAVAILABLE', { status: 504, message: 'The registry hub did not answer in time' });

function scene() {
  const clock = { now: 5_000 };
  return { clock, circuit: createCircuit(() => clock.now) };
}

it('a circuit tells once why it opens, and that it closed', () => {
  const turns: (string | undefined)[] = [];
  const clock = { now: 5_000 };
  const circuit = createCircuit(() => clock.now, { onTurn: (reason) => turns.push(reason) });
  circuit.answered();
  for (const _ of [1, 2]) circuit.failed('broken', refused, 5_000);
  expect(turns).toEqual([]);
  clock.now = 5_001;
  circuit.failed('silent', late, 5_001);
  circuit.failed('unreachable', refused, 5_001);
  circuit.answered();
  circuit.answered();
  expect(turns).toEqual([late.message, undefined]);
});

describe('F13: a circuit', () => {
  it('lets every question out while the registry answers', () => {
    const { circuit } = scene();
    expect([circuit.admit(), circuit.admit()]).toEqual([undefined, undefined]);
    expect(circuit.view()).toEqual({ state: 'closed' });
  });

  it('opens with the first silence, and says why and until when', () => {
    const { circuit } = scene();
    circuit.failed('silent', late, 5_000);
    const refusal = circuit.admit();
    expect(refusal).toMatchObject({ code: 'UNAVAILABLE', status: 504, message: late.message, cause: late });
    expect(refusal?.headers).toEqual([['Retry-After', '1']]);
    expect(circuit.admits).toBe(false);
    expect(circuit.view()).toEqual({ state: 'open', reason: late.message });
  });

  it('opens with the first refused connection for who can do without, and lets the others hear the reason of now', () => {
    const { circuit } = scene();
    circuit.failed('unreachable', refused, 5_000);
    expect(circuit.admits).toBe(false);
    expect(circuit.admit()).toBeUndefined();
    circuit.failed('unreachable', refused, 5_000);
    expect(circuit.view()).toEqual({ state: 'open', reason: refused.message });
  });

  it.each(['silent', 'unreachable', 'broken'] as const)(
    'waits longer after each %s probe, up to ten seconds',
    (kind) => {
      const { circuit, clock } = scene();
      const pauses: number[] = [];
      for (const _ of [1, 2, 3]) circuit.failed(kind, late, clock.now);
      for (let time = clock.now; pauses.length < 6; clock.now += 100) {
        if (!circuit.admits) continue;
        pauses.push(clock.now - time);
        time = clock.now;
        expect(circuit.admit()).toBeUndefined();
        expect(circuit.view().state).toBe('half-open');
        circuit.failed(kind, late, clock.now);
      }
      expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    },
  );

  it('tries no more often while the probe hangs', () => {
    const { circuit, clock } = scene();
    circuit.failed('silent', late, 5_000);
    clock.now += 1_000;
    expect(circuit.admit()).toBeUndefined();
    clock.now += 9_999;
    expect(circuit.admit()).toBeDefined();
  });

  it('counts many questions that fail together once', () => {
    const { circuit, clock } = scene();
    for (let question = 0; question < 100; question += 1) circuit.failed('silent', late, 5_000);
    clock.now += 1_000;
    expect(circuit.admits).toBe(true);
  });

  it('closes with the first answer, and begins with short pauses again', () => {
    const { circuit, clock } = scene();
    circuit.failed('silent', late, 5_000);
    circuit.answered();
    expect(circuit.admit()).toBeUndefined();
    clock.now += 1;
    circuit.failed('unreachable', refused, clock.now);
    clock.now += 1_000;
    expect(circuit.admits).toBe(true);
  });

  it('stays closed when others were answered while the question waited', () => {
    const { circuit, clock } = scene();
    const startedAt = clock.now;
    clock.now += 10;
    circuit.answered();
    clock.now += 20_000;
    circuit.failed('silent', late, startedAt);
    expect(circuit.view()).toEqual({ state: 'closed' });
  });

  it('opens with the third broken answer in a row', () => {
    const { circuit, clock } = scene();
    for (const _ of [1, 2]) circuit.failed('broken', refused, clock.now);
    circuit.answered();
    clock.now += 1;
    for (const _ of [1, 2]) circuit.failed('broken', refused, clock.now);
    expect(circuit.admits).toBe(true);
    circuit.failed('broken', refused, clock.now);
    expect(circuit.admits).toBe(false);
  });
});
