import { describe, expect, it } from 'vitest';
import { parseSince } from '../../src/lib/since.ts';

const NOW = Date.UTC(2026, 10, 27, 12);
const dayOf = (text: string) => Date.parse(`${text}T00:00:00Z`) / 86_400_000;

describe('how far back something goes', () => {
  it.each([
    ['0s', '2026-11-27'],
    ['12h', '2026-11-27'],
    ['12.1h', '2026-11-26'],
    ['7d', '2026-11-20'],
    ['2026-11-01', '2026-11-01'],
    ['2024-02-29', '2024-02-29'],
  ])('%s is since %s', (text, day) => {
    expect(parseSince(text, NOW)).toBe(dayOf(day));
  });

  it.each(['', '7', 'yesterday', '2026-11', '2026-02-30', '2026-13-01', '2026-11-01T00:00', '-1d'])(
    '%j means nothing',
    (text) => {
      expect(parseSince(text, NOW)).toBeUndefined();
    },
  );
});
