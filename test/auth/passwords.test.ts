import { hashSync } from 'bcrypt';
import { describe, expect, it } from 'vitest';
import { createPasswords, type PasswordOutcome } from '../../src/auth/passwords.ts';
import { createManualClock } from '../store/support/manual-clock.ts';
import { settled } from '../support/settled.ts';

const FILE = 'users';
const MINUTE = 60_000;

/** Passwords whose hash is `hash of <password>`, and a count of how often that was computed. */
function stage() {
  const clock = { time: 0 };
  const computed: string[] = [];
  const gate = { open: Promise.resolve() };
  let running = 0;
  const seen = { most: 0 };
  const passwords = createPasswords({
    now: () => clock.time,
    async isRight(password, hash) {
      computed.push(password);
      running += 1;
      seen.most = Math.max(seen.most, running);
      await gate.open;
      running -= 1;
      return hash === `hash of ${password}`;
    },
  });
  const users = new Map([
    ['bob', 'hash of secret'],
    ['ann', 'hash of hidden'],
  ]);
  const check = (user: string, password: string, address = '192.0.2.1', file = FILE): Promise<PasswordOutcome> =>
    passwords.check(file, users, { user, password, address });
  /** Shows that many different wrong passwords, one after the other. */
  async function guess(count: number, user: string, address?: string): Promise<PasswordOutcome[]> {
    const outcomes: PasswordOutcome[] = [];
    for (let at = 0; at < count; at += 1) outcomes.push(await check(user, `guess ${at} at ${clock.time}`, address));
    return outcomes;
  }
  return { clock, computed, gate, seen, users, check, guess };
}

const isPause = (outcome: PasswordOutcome) => typeof outcome === 'object';

describe('passwords', () => {
  it('are right or wrong', async () => {
    const { check } = stage();
    expect(await check('bob', 'secret')).toBe('right');
    expect(await check('bob', 'hidden')).toBe('wrong');
    expect(await check('nobody', 'secret')).toBe('wrong');
  });

  it('that are shown again are not computed again, until five minutes are over', async () => {
    const { check, computed, clock } = stage();
    for (const time of [0, 1, 5 * MINUTE - 1]) {
      clock.time = time;
      expect(await check('bob', 'secret')).toBe('right');
    }
    expect(computed).toHaveLength(1);
    clock.time = 5 * MINUTE;
    expect(await check('bob', 'secret')).toBe('right');
    expect(computed).toHaveLength(2);
  });

  it('are computed once for all who show the same at one time', async () => {
    const { check, computed } = stage();
    const outcomes = await Promise.all(Array.from({ length: 50 }, (_, at) => check('bob', 'secret', `192.0.2.${at}`)));
    expect(new Set(outcomes)).toEqual(new Set(['right']));
    expect(computed).toHaveLength(1);
  });

  it('count no more as soon as the user is gone or has another one', async () => {
    const { check, users } = stage();
    await check('bob', 'secret');
    users.set('bob', 'hash of other');
    expect(await check('bob', 'secret')).toBe('wrong');
    await check('ann', 'hidden');
    users.delete('ann');
    expect(await check('ann', 'hidden')).toBe('wrong');
  });

  it('that became right after they were wrong are right', async () => {
    const { check, users } = stage();
    expect(await check('bob', 'new')).toBe('wrong');
    expect(await check('eve', 'new')).toBe('wrong');
    users.set('bob', 'hash of new').set('eve', 'hash of new');
    expect(await check('bob', 'new')).toBe('right');
    expect(await check('eve', 'new')).toBe('right');
  });

  it('of one file say nothing about the users of another', async () => {
    const { check, computed } = stage();
    await check('bob', 'secret');
    await check('bob', 'secret', '192.0.2.1', 'other file');
    expect(computed).toHaveLength(2);
  });

  it('of a user that does not exist cost what those of some user cost, whatever the password is', async () => {
    const hashes: string[] = [];
    const passwords = createPasswords({
      now: () => 0,
      isRight: async (_, hash) => {
        hashes.push(hash);
        return false;
      },
    });
    const users = new Map(['05', '10', '12'].map((cost) => [`user of ${cost}`, `$2y$${cost}$${'a'.repeat(53)}`]));
    const costs = new Map<string, Set<string>>();
    for (let at = 0; at < 60; at += 1) {
      for (const password of ['one', 'two', 'three']) {
        await passwords.check(FILE, users, { user: `nobody ${at}`, password, address: `10.0.${at}.1` });
        const known = costs.get(`nobody ${at}`) ?? new Set();
        costs.set(`nobody ${at}`, known.add(hashes.at(-1)?.slice(4, 6) ?? ''));
      }
    }
    expect([...costs.values()].every((seen) => seen.size === 1)).toBe(true);
    expect(new Set([...costs.values()].flatMap((seen) => [...seen]))).toEqual(new Set(['05', '10', '12']));
    expect(hashes.every((hash) => /^\$2b\$\d\d\$[./A-Za-z0-9]{53}$/.test(hash))).toBe(true);
  });

  it('cost the same work whether the user exists or not', async () => {
    const { check, computed } = stage();
    await check('bob', 'wrong');
    await check('nobody', 'wrong');
    expect(computed).toHaveLength(2);
  });
});

describe('whoever guesses', () => {
  it('has to pause after ten wrong passwords from an address, and nothing is computed meanwhile', async () => {
    const { guess, computed, check } = stage();
    const outcomes = await guess(1_000, 'bob');
    expect(outcomes.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'wrong'));
    expect(outcomes.slice(10).every(isPause)).toBe(true);
    expect(computed).toHaveLength(10);
    // Not even the right one: otherwise the pause would be no hindrance.
    expect(await check('bob', 'secret')).toEqual({ pause: 1_000 });
  });

  it('cannot get around that by asking all at once', async () => {
    const { check, computed } = stage();
    const outcomes = await Promise.all(Array.from({ length: 1_000 }, (_, at) => check(`user ${at}`, 'guess')));
    expect(outcomes.filter((outcome) => outcome === 'wrong')).toHaveLength(10);
    expect(computed).toHaveLength(10);
  });

  it('has to pause for a user whom others guess at, from wherever; existing or not', async () => {
    const { check } = stage();
    for (const user of ['bob', 'nobody']) {
      const outcomes: PasswordOutcome[] = [];
      for (let at = 0; at < 30; at += 1) outcomes.push(await check(user, `guess ${at}`, `198.51.100.${at}`));
      expect(outcomes.findIndex(isPause), user).toBe(20);
      expect(outcomes.filter(isPause), user).toHaveLength(10);
    }
  });

  it('guesses once with what is tried at the files of several teams', async () => {
    const { check, clock } = stage();
    const files = Array.from({ length: 8 }, (_, at) => `users of team ${at}`);
    const login = async (password: string, address?: string) => {
      const outcomes: PasswordOutcome[] = [];
      for (const file of files) outcomes.push(await check('bob', password, address, file));
      return outcomes;
    };
    const allWrong = files.map(() => 'wrong');
    for (let at = 0; at < 9; at += 1) expect(await login(`guess ${at}`)).toEqual(allWrong);
    const [first, ...others] = await login('guess 9');
    expect([first, others.every(isPause)]).toEqual(['wrong', true]);
    clock.time += 1_000;
    // It comes to the last team, where it may be right.
    expect(await login('guess 9')).toEqual(allWrong);
    expect((await login('guess 10'))[1]).toEqual({ pause: 2_000 });
    expect(await login('guess 0', '192.0.2.2')).toEqual(allWrong);
  });

  it('may go on after the pause, and pauses longer after the next wrong one', async () => {
    const { guess, clock, check } = stage();
    await guess(10, 'bob');
    clock.time += 1_000;
    expect(await guess(2, 'bob')).toEqual(['wrong', { pause: 2_000 }]);
    clock.time += 2_000;
    expect(await check('bob', 'secret')).toBe('right');
    expect(await guess(10, 'bob')).toEqual(Array.from({ length: 10 }, () => 'wrong'));
  });

  it('locks out nobody who showed the right password within a day, from whatever address', async () => {
    const { guess, check, clock } = stage();
    await check('bob', 'secret');
    clock.time = 23 * 60 * MINUTE;
    for (let at = 0; at < 30; at += 1) await check('bob', `guess ${at}`, `198.51.100.${at}`);
    await guess(30, 'someone', '192.0.2.1');
    expect(isPause(await check('bob', 'wrong', '203.0.113.9'))).toBe(true);
    expect(await check('bob', 'secret', '192.0.2.1')).toBe('right');
    expect(await check('bob', 'secret', '203.0.113.9')).toBe('right');
  });

  it('does not hold up who showed the right password before', async () => {
    const { check, gate, clock } = stage();
    await check('bob', 'secret');
    clock.time = 10 * MINUTE;
    const { promise, resolve } = Promise.withResolvers<void>();
    gate.open = promise;
    const guesses = Array.from({ length: 500 }, (_, at) => check('ann', `guess ${at}`, `10.0.${at >> 8}.${at & 255}`));
    gate.open = Promise.resolve();
    expect(await check('bob', 'secret')).toBe('right');
    resolve();
    const outcomes = await Promise.all(guesses);
    // Those for whom there was no room.
    expect(outcomes.filter((outcome) => typeof outcome === 'object' && outcome.pause === 2_000).length).toBeGreaterThan(
      300,
    );
  });

  it('keeps few processors busy', async () => {
    const { check, seen } = stage();
    await Promise.all(Array.from({ length: 100 }, (_, at) => check('ann', `guess ${at}`, `10.0.0.${at}`)));
    expect(seen.most).toBeLessThanOrEqual(4);
  });

  it('leaves a processor alone for most of the time, from however many addresses', async () => {
    const clock = createManualClock();
    const begun: number[] = [];
    const passwords = createPasswords({
      now: clock.now,
      after: clock.after,
      atOnce: 1,
      async isRight(password) {
        begun.push(clock.now());
        clock.advance(50);
        return password === 'secret';
      },
    });
    const users = new Map([['bob', 'hash']]);
    const check = (password: string, at: number) =>
      passwords.check(FILE, users, { user: 'bob', password, address: `192.0.2.${at}` });
    expect(await check('guess', 1)).toBe('wrong');
    const next = check('secret', 2);
    expect(await settled(() => begun.length)).toBe(1);
    const ended = clock.now();
    clock.advance(250);
    expect(await next).toBe('right');
    expect(begun.at(-1)).toBe(ended + 250);
    // Nobody rests after a right one.
    expect(await check('another', 3)).toBe('wrong');
  });

  it('is not who repeats the same wrong password', async () => {
    const { check, computed } = stage();
    for (let count = 0; count < 100; count += 1) expect(await check('bob', 'expired')).toBe('wrong');
    expect(computed).toHaveLength(1);
    expect(await check('bob', 'secret')).toBe('right');
  });
});

describe('bcrypt', () => {
  const passwords = createPasswords({ now: () => 0 });
  const long = 'x'.repeat(300);
  const hashes: readonly (readonly [string, string])[] = [
    ['2b', hashSync('secret', 4)],
    ['2a', hashSync('secret', 4).replace('$2b$', '$2a$')],
    ['2y', hashSync('secret', 4).replace('$2b$', '$2y$')],
  ];

  it.each(hashes)('hashes of kind %s are known', async (_, hash) => {
    const users = new Map([['bob', hash]]);
    expect(await passwords.check(hash, users, { user: 'bob', password: 'secret', address: '192.0.2.1' })).toBe('right');
    expect(await passwords.check(hash, users, { user: 'bob', password: 'Secret', address: '192.0.2.1' })).toBe('wrong');
  });

  it('does not take a long password for a short one', async () => {
    const users = new Map([['bob', hashSync(long, 4).replace('$2b$', '$2a$')]]);
    const check = (password: string) => passwords.check('long', users, { user: 'bob', password, address: '192.0.2.2' });
    expect([await check(''), await check('x'.repeat(44)), await check(long)]).toEqual(['wrong', 'wrong', 'right']);
  });

  it('works for a user that nobody has, in a file without users too', async () => {
    const attempt = { user: 'bob', password: 'secret', address: '192.0.2.3' };
    expect(await passwords.check('none', new Map(), attempt)).toBe('wrong');
  });
});
