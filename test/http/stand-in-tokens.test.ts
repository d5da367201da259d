import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { bearsStandIn, createStandIns, withoutStandIn } from '../../src/http/stand-in-tokens.ts';
import type { Answer } from '../../src/pipeline/exchange.ts';
import { barrier } from '../support/deadline.ts';
import { fakeUpstream } from '../support/fake-upstream.ts';
import { bytesOf } from '../support/scene.ts';

const shown = [['Authorization', 'Bearer no-token-service']] as const;
const given: Answer = { status: 200, headers: [], body: { kind: 'bytes', bytes: Buffer.from('{"token":"t"}') } };
const silent = new RegistryError('UNAVAILABLE', { status: 504, message: 'silent' });

function setUp() {
  const service = fakeUpstream();
  const clock = { now: 0 };
  const standIns = createStandIns(() => clock.now);
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
    expect(await tokenOf(await slow)).toBe('t');
  });

  it('is not waited for like others when its registry does not answer, either', async () => {
    const { answer, service } = setUp();
    service.expected = { ask: false, patience: 0 };
    const never = Promise.withResolvers<Answer>();
    expect(await tokenOf(await answer(() => never.promise))).toBe('no-token-service');
  });

  it('is the answer for those for whom a stand-in will not do', async () => {
    const { answer } = setUp();
    await expect(answer(silent, false)).rejects.toBe(silent);
    expect(await answer({ ...given, status: 429 }, false)).toMatchObject({ status: 429 });
  });
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
