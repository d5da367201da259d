import { expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { ANONYMOUS, type Principal } from '../../src/domain/principal.ts';
import { firstToKnow } from '../../src/http/identify.ts';
import { guardOf } from './guarded.ts';

const bob: Principal = { method: 'htpasswd', user: 'bob', groups: [], claims: {} };

/** What becomes of a client of whom guards say this in turn. */
async function askAll(...answers: readonly (RegistryError | Principal)[]) {
  const guards = answers.map(() => guardOf([]));
  const asked = firstToKnow(guards, async (guard) => {
    const answer = answers[guards.indexOf(guard)];
    if (answer === undefined || answer instanceof RegistryError) throw answer;
    return { principal: answer };
  });
  return asked.then(
    ({ who }) => who.principal.user ?? 'nobody',
    (error: RegistryError) => error.status,
  );
}

const wrong = new RegistryError('UNAUTHORIZED');
const pause = new RegistryError('TOOMANYREQUESTS');
const outage = new RegistryError('UNAVAILABLE');

it.each([
  ['who is known to any is known', [wrong, pause, bob], 'bob'],
  ['who is nobody to one is no stranger', [wrong, ANONYMOUS, pause], 'nobody'],
  ['who is wrong for all is refused', [wrong, wrong], 401],
  ['who has to pause hears so, although others call him wrong', [wrong, pause, outage], 429],
  ['whom an outage keeps from being known hears so', [outage, wrong, pause], 503],
])('%s', async (_, answers, outcome) => {
  expect(await askAll(...answers)).toBe(outcome);
});
