import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { bearsStandIn, createStandIns, type StandInOptions, withoutStandIn } from '../../src/http/stand-in-tokens.ts';
import type { Answer } from '../../src/pipeline/exchange.ts';
import { barrier } from '../support/deadline.ts';
import { fakeUpstream } from '../support/fake-upstream.ts';
import { bytesOf } from '../support/scene.ts';

const shown = [['Authorization', 'Bearer no-token-service']] as const;
const given: Answer = { status: 200, headers: [], body: { kind: 'bytes', bytes: Buffer.from('{"token":"t"}') } };
const silent = new RegistryError('UNAVAILABLE', { status: 504, message: 'silent' });

function setUp(options: Partial<StandInOptions> = {}) {
  const service = fakeUpstream();
  const clock = { now: 0 };
  const standIns = createStandIns({ now: () => clock.now, ...options });
  let asked = 0;
  const answer = async (outcome: Answer | Error | (() => Promise<Answer>), bears = true) => {
    const ask = async () => {
      asked += 1;
      if (outcome instanceof Error) throw outcome;
      return typeof outcome === 'function' ? outcome() : outcome;
    };
    return standIns.answer(service, bears, ask);
  };
  return { service, clock, standIns, answer, asked: () => asked };
}

const tokenOf = async ({ body }: Answer) => JSON.parse((await bytesOf(body)).toString()).token;

describe('a token service that fails', () => {
  it.each<[string, Error | Answer, number]>([
    ['keeps silent', silent, 504],
    ['answers 429', { ...given, status: 429, headers: [['Retry-After', '7']] }, 429],
    ['answers 500', { ...given, status: 500 }, 500],
  ])('and %s is stood in for, with its true reason', async (_, outcome, status) => {
    const { answer, standIns, service } = setUp();
    expect(await tokenOf(await answer(outcome))).toBe('no-token-service');
    const reason = standIns.reason(service, shown);
    expect(reason?.status).toBe(status);
    expect(reason?.headers).toEqual(status === 429 ? [['Retry-After', '7']] : []);
  });

  it('is asked again after ten seconds, once, and then again by everybody', async () => {
    const { answer, clock, asked } = setUp();
    for (const [now, questions] of [
      [0, 1],
      [9_999, 1],
      [10_000, 2],
      [10_001, 2],
    ] as const) {
      clock.now = now;
      await answer(silent);
      expect(asked()).toBe(questions);
    }
    clock.now = 20_001;
    expect(await tokenOf(await answer(given))).toBe('t');
    expect(await tokenOf(await answer(given))).toBe('t');
  });

  it('leaves those who do not ask again without waiting while somebody does', async () => {
    const { answer, clock, asked } = setUp();
    await answer(silent);
    clock.now = 10_000;
    const gate = barrier();
    const slow = answer(async () => {
      await gate.passed;
      return given;
    });
    expect(await tokenOf(await answer(given))).toBe('no-token-service');
    expect(asked()).toBe(2);
    gate.release();
    expect(await tokenOf(await slow)).toMatch(/^t$|^no-token-service\./);
  });

  it('is the answer for those for whom a stand-in will not do', async () => {
    const { answer } = setUp();
    await expect(answer(silent, false)).rejects.toBe(silent);
    expect(await answer({ ...given, status: 429 }, false)).toMatchObject({ status: 429 });
  });
});

describe('a token service that takes its time', () => {
  /** A client's question that is answered with a stand-in, and the way to answer it after that. */
  async function standInFor() {
    const parts = setUp({ patience: 1 });
    const later = Promise.withResolvers<Answer>();
    const token = await tokenOf(await parts.answer(() => later.promise));
    return { ...parts, later, shown: [['Authorization', `Bearer ${token}`]] as const };
  }

  it('is stood in for, and its token is known as soon as it comes, at its own registry only', async () => {
    const { standIns, service, later, shown, answer } = await standInFor();
    expect(withoutStandIn(shown)).toEqual([]);
    expect(standIns.question(fakeUpstream(), shown)).toBeUndefined();
    const coming = standIns.question(service, shown);
    later.resolve(given);
    expect(await coming).toEqual({ token: 't' });
    expect(await standIns.question(service, shown)).toEqual({ token: 't' });
    expect(await tokenOf(await answer(given))).toBe('t');
  });

  it.each<[string, Answer, object]>([
    ['a refusal', { ...given, status: 401 }, { status: 401, message: expect.stringContaining('answered 401') }],
    [
      'no token',
      { ...given, body: { kind: 'none' } },
      { status: 401, message: expect.stringContaining('answered 200') },
    ],
    ['a failure', { ...given, status: 503 }, { code: 'UNAVAILABLE', status: 503 }],
  ])('and answers with %s at last, is the reason', async (_, outcome, error) => {
    const { standIns, service, later, shown } = await standInFor();
    later.resolve(outcome);
    expect(await standIns.question(service, shown)).toMatchObject({ error });
  });

  it('and breaks off by a defect of manifix, says no more than that', async () => {
    const { standIns, service, later, shown } = await standInFor();
    later.reject(new TypeError('defect'));
    expect(await standIns.question(service, shown)).toMatchObject({ error: { code: 'UNKNOWN', status: 500 } });
  });

  it('is stood in for by a name that nobody can guess', async () => {
    const [one, other] = await Promise.all([standInFor(), standInFor()]);
    expect(one.shown[0][1]).toMatch(/^Bearer no-token-service\.[0-9a-f-]{36}$/);
    expect(one.shown).not.toEqual(other.shown);
    const guessed = [['Authorization', 'Bearer no-token-service.00000000-0000-4000-8000-000000000000']] as const;
    expect(one.standIns.question(one.service, guessed)).toBeUndefined();
    expect(one.standIns.reason(one.service, guessed)).toMatchObject({ code: 'UNAVAILABLE' });
  });
});

it('the operator is told once that a token service fails, and once that it answers again', async () => {
  const turns: object[] = [];
  const { answer, clock } = setUp({ onTurn: (turn) => turns.push(turn) });
  for (const [now, outcome] of [
    [0, given],
    [0, silent],
    [10_000, silent],
    [20_000, given],
    [20_000, given],
  ] as const) {
    clock.now = now;
    await answer(outcome);
  }
  const service = { upstream: 'registry', origin: 'http://registry.test:5001' };
  expect(turns).toEqual([{ ...service, reason: 'silent' }, service]);
});

it('an answer of the token service is its own, also a refusal', async () => {
  const { answer, asked } = setUp();
  expect(await answer({ ...given, status: 401 })).toMatchObject({ status: 401 });
  expect(await answer(given)).toBe(given);
  expect(asked()).toBe(2);
});

it('what is no outage is no reason to stand in', async () => {
  const { answer } = setUp();
  const defect = new TypeError('defect');
  await expect(answer(defect)).rejects.toBe(defect);
});

it('the stand-in is shown to no registry, and everything else is left alone', () => {
  const { standIns, service } = setUp();
  expect(withoutStandIn([['Accept', '*/*'], ...shown])).toEqual([['Accept', '*/*']]);
  const other = [['Authorization', 'Bearer t']] as const;
  expect(withoutStandIn(other)).toBe(other);
  expect(standIns.reason(service, other)).toBeUndefined();
  expect(standIns.reason(service, shown)).toMatchObject({ code: 'UNAVAILABLE', status: 503 });
});

it.each([
  [true, '', true],
  [false, '', false],
  [false, 'repository:app:pull', true],
  [false, 'repository:app:pull repository:other:pull', true],
  [false, 'repository:app:pull,push', false],
  [false, 'repository:app:pull registry:catalog:*', false],
])('a stand-in for nobody: %s, who asks for "%s": %s', (isNobody, scope, bears) => {
  expect(bearsStandIn(isNobody, scope)).toBe(bears);
});
