import { describe, expect, it } from 'vitest';
import { parseOptions, RESULTS } from '../../bench/options.ts';

const rows = ['P1', 'P2'];
const usual = { runs: 5, only: undefined, quick: false, large: false, json: RESULTS, writeDocs: false };

describe('the arguments of the benchmark', () => {
  it.each([
    [[], usual],
    [['--quick'], { ...usual, runs: 1, quick: true }],
    [['--quick', '--runs', '3'], { ...usual, runs: 3, quick: true }],
    [['--only', 'p2,P1', '--large'], { ...usual, only: ['P2', 'P1'], large: true }],
    [['--json', 'x.json', '--write-docs'], { ...usual, json: 'x.json', writeDocs: true }],
  ])('%j are understood', (args, expected) => {
    expect(parseOptions(args, rows)).toEqual(expected);
  });

  it.each([
    [['--runs', '0'], /--runs needs a number/],
    [['--runs', 'many'], /--runs needs a number/],
    [['--only', 'P3'], /there is no row P3: they are P1, P2/],
    [['--slow'], /--slow/],
  ])('%j are refused with the reason', (args, reason) => {
    expect(parseOptions(args, rows)).toEqual({ code: 2, text: expect.stringMatching(reason) });
  });

  it('are explained on request', () => {
    expect(parseOptions(['--help'], rows)).toEqual({ code: 0, text: expect.stringContaining('usage:') });
  });
});
