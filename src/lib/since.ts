import { DAY, parseDuration } from './units.ts';

export const SINCE_FORM = 'a time such as 12h or 7d, or a day such as 2026-11-27 (UTC)';

/** Reads how far back something goes as a day since the epoch (UTC): an age, or the day itself. Undefined when it is neither. */
export function parseSince(text: string, now: number): number | undefined {
  const age = parseDuration(text);
  if (age !== undefined) return Math.floor((now - age) / DAY);
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // Engines differ in whether there is a 30th of February.
  return Number.isNaN(time) || !new Date(time).toISOString().startsWith(text) ? undefined : time / DAY;
}
