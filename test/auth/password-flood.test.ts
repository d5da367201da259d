import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createPasswords, type PasswordOutcome } from '../../src/auth/passwords.ts';
import { createManualClock } from '../store/support/manual-clock.ts';

const GUESSES = 10_000;
const MINUTE = 60_000;
/** Of one password, as bcrypt with the cost 10. */
const COST = 60;

/** A minute of guesses, evenly spread, and what bob hears who logs in now and then. */
async function flood(guesser: (at: number) => { readonly user: string; readonly address: string }) {
  const clock = createManualClock();
  let computed = 0;
  const passwords = createPasswords({
    now: clock.now,
    after: clock.after,
    atOnce: 1,
    isRight(password) {
      computed += 1;
      return new Promise((resolve) => clock.after(COST, () => resolve(password === 'secret')));
    },
  });
  const users = new Map([['bob', 'hash']]);
  const bob = { user: 'bob', password: 'secret', address: '192.0.2.1' };
  const outcomes: PasswordOutcome[] = [];
  const heard: (PasswordOutcome | undefined)[] = [];

  /** What comes of a check without time passing; undefined when it has to wait. */
  async function atOnce(check: Promise<PasswordOutcome>): Promise<PasswordOutcome | undefined> {
    const none = Symbol('nothing yet');
    const outcome = await Promise.race([check, turn(none)]);
    return outcome === none ? undefined : (outcome as PasswordOutcome);
  }

  const first = passwords.check('file', users, bob);
  await turn();
  clock.advance(COST);
  expect(await first).toBe('right');
  const before = computed;
  for (let at = 0; at < GUESSES; at += 1) {
    const attempt = { ...guesser(at), password: `guess ${at}` };
    void passwords.check('file', users, attempt).then((outcome) => outcomes.push(outcome));
    if (at % 1_000 === 0) heard.push(await atOnce(passwords.check('file', users, bob)));
    await turn();
    clock.advance(MINUTE / GUESSES);
  }
  return { computed: computed - before, outcomes, heard };
}

describe('10,000 wrong passwords in a minute', () => {
  it('from one address are ten that are computed, and few more after pauses', async () => {
    const { computed, outcomes, heard } = await flood(() => ({ user: 'bob', address: '203.0.113.9' }));
    expect(computed).toBeLessThanOrEqual(10 + 6);
    expect(outcomes.filter((outcome) => typeof outcome === 'object').length).toBe(GUESSES - computed);
    expect(new Set(heard)).toEqual(new Set(['right']));
  });

  it('from everywhere take a quarter of one processor, and nobody waits who is logged in', async () => {
    const { computed, heard } = await flood((at) => ({ user: `user ${at}`, address: `10.${at >> 8}.${at & 255}.1` }));
    expect(computed * COST).toBeLessThanOrEqual(MINUTE / 4 + COST);
    expect(new Set(heard)).toEqual(new Set(['right']));
  });
});
