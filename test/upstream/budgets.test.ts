import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { createBudgets } from '../../src/upstream/budgets.ts';

const says = (remaining: number): HeaderList => [
  ['ratelimit-limit', '100;w=21600'],
  ['ratelimit-remaining', `${remaining};w=21600`],
];
const alice: HeaderList = [['Authorization', 'Bearer a']];
const bob: HeaderList = [['Authorization', 'Bearer b']];

describe('the budget of a registry', () => {
  it('is not known before the registry has told it', () => {
    const budgets = createBudgets('caller', () => 0);
    budgets.answered([], [['Content-Length', '2']]);
    expect([budgets.shareOf([]), budgets.view()]).toEqual([undefined, undefined]);
  });

  it('is one for each caller, and the smallest is shown', () => {
    const budgets = createBudgets('caller', () => 0);
    budgets.answered(alice, says(3));
    budgets.answered(bob, says(76));
    expect([alice, bob, []].map(budgets.shareOf)).toEqual([0.03, 0.76, undefined]);
    expect(budgets.view()).toEqual({ limit: 100, remaining: 3, share: 0.03 });
  });

  it('is the same for all who ask with the credentials of the configuration', () => {
    const budgets = createBudgets('own', () => 0);
    budgets.answered(alice, says(76));
    expect([alice, bob, []].map(budgets.shareOf)).toEqual([0.76, 0.76, 0.76]);
  });

  it('is what the registry told last, and comes back with time', () => {
    let now = 0;
    const budgets = createBudgets('own', () => now);
    budgets.answered([], says(76));
    budgets.answered([], says(0));
    expect(budgets.shareOf([])).toBe(0);
    now += 21_600_000 / 4;
    expect(budgets.view()).toEqual({ limit: 100, remaining: 0, share: 0.25 });
  });

  it('is kept for a limited number of accounts', () => {
    const budgets = createBudgets('caller', () => 0);
    budgets.answered(alice, says(3));
    for (let index = 0; index < 1_000; index += 1) budgets.answered([['Authorization', `Bearer ${index}`]], says(9));
    expect(budgets.shareOf(alice)).toBeUndefined();
    expect(budgets.view()).toMatchObject({ remaining: 9 });
  });
});
