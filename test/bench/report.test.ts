import { describe, expect, it } from 'vitest';
import { atLeast, atMost } from '../../bench/report/checks.ts';
import { renderDocument } from '../../bench/report/document.ts';
import type { Report, RowResult } from '../../bench/report/result.ts';
import { createRecorder, median, medianOf, rotated } from '../../bench/report/statistics.ts';
import { plainTable } from '../../bench/report/table.ts';
import { rowText, summaryText } from '../../bench/report/text.ts';

const recorder = createRecorder();
for (const rate of [1000, 3000, 2000]) recorder.record('c=1', 'manifix', { rate });
recorder.record('c=1', 'bare Node', { rate: 4000.4, delay: Number.NaN });
const row: RowResult = {
  id: 'P1',
  measure: 'hits',
  columns: [{ key: 'rate', title: 'req/s', digits: 0 }],
  lines: recorder.lines(),
  checks: [atLeast({ subject: 'of bare Node', actual: 0.5, bound: 0.8, unit: 'x' })],
  notes: ['A note.'],
};
const report: Report = {
  date: '2026-01-02',
  machine: { processor: 'one' },
  settings: { runs: 3, seconds: 5, quick: false, large: true },
  rows: [row, { id: 'P2', measure: 'more', failure: 'no /secret/path' }],
};

describe('the statistics', () => {
  it('take the middle value, or the mean of both', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('know the median of a column, and that there is none', () => {
    expect(medianOf(row.lines, 'c=1', 'manifix', 'rate')).toBe(2000);
    expect(medianOf(row.lines, 'c=2', 'manifix', 'rate')).toBeNaN();
    expect(medianOf(row.lines, 'c=1', 'bare Node', 'delay')).toBeNaN();
  });

  it('give every item every place', () => {
    expect([0, 1, 2, 3].map((run) => rotated(['a', 'b', 'c'], run).join(''))).toEqual(['abc', 'bca', 'cab', 'abc']);
  });
});

describe('a check', () => {
  it('is met at its bound and not beyond', () => {
    expect(atLeast({ subject: 'of x', actual: 2, bound: 2, unit: 'x' })).toEqual({
      target: '>= 2x of x',
      measured: '2.00x',
      isMet: true,
    });
    expect(atLeast({ subject: 'of x', actual: 1.99, bound: 2, unit: 'x' }).isMet).toBe(false);
    expect(atMost({ subject: 'more', actual: 5, bound: 5, unit: ' ms' }).isMet).toBe(true);
    expect(atMost({ subject: 'more', actual: 5.01, bound: 5, unit: ' ms', digits: 0 })).toEqual({
      target: '<= 5 ms more',
      measured: '5 ms',
      isMet: false,
    });
  });

  it('is not met by a figure that is missing', () => {
    expect(atLeast({ subject: '', actual: Number.NaN, bound: 0, unit: '' }).isMet).toBe(false);
    expect(atMost({ subject: '', actual: Number.NaN, bound: 0, unit: '' }).isMet).toBe(false);
  });
});

describe('the report', () => {
  it('aligns words to the left and numbers to the right', () => {
    expect(plainTable({ head: ['name', 'n'], rows: [['a', '10']], words: 1 })).toBe('name   n\n----  --\na     10');
  });

  it('shows the median with its spread, and one run without', () => {
    expect(rowText(row)).toMatch(/manifix +2,000 ±50%$/m);
    expect(rowText(row)).toMatch(/bare Node +4,000$/m);
  });

  it('names every target that is not met, and every row that has no figures', () => {
    expect(summaryText(report)).toMatch(/P1 .*0\.50x +NO$/m);
    expect(summaryText(report)).toMatch(/P2 .*could not be measured +no$/m);
  });

  it('repeats the command of the run in the document, and no path of the machine', () => {
    const document = renderDocument(report);
    expect(document).toContain('npm run bench -- --large --runs 3 --write-docs');
    expect(document).not.toContain('/secret/path');
  });
});
