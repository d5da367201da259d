import type { TagReport } from '../tag-operations.ts';
import { table } from './table.ts';

/** What a tag meant, and what it is pinned to, for people. */
export function formatTag({ reference, endpoint, upstream, repository, pin, history }: TagReport): string {
  const lines = [reference, `  ${repository} of upstream ${upstream}, endpoint ${endpoint}`, ...pinLines(pin)];
  if (history.length === 0) return [...lines, '', 'not seen yet'].join('\n');
  const views = new Set(history.map(({ accept }) => accept));
  const several = views.size > 1;
  const rows = history.map(({ accept, digest, firstSeen, confirmed, by, user }) => [
    second(firstSeen),
    second(confirmed),
    by === 'pull' ? 'pulled' : `pushed${user === null ? '' : ` by ${user}`}`,
    ...(several ? [accept] : []),
    digest,
  ]);
  const head = ['first seen', 'last confirmed', 'how', ...(several ? ['Accept'] : []), 'digest'];
  return [...lines, '', ...table([head, ...rows])].join('\n');
}

function pinLines(pin: TagReport['pin']): readonly string[] {
  if (pin === null) return [];
  if (pin.by === 'configuration') return [`  pinned to ${pin.digest} by the configuration`];
  const since = pin.since === null ? '' : ` since ${second(pin.since)}`;
  return [`  pinned to ${pin.digest}${since}${pin.note === null ? '' : `: ${pin.note}`}`];
}

/** A time in ISO 8601 without its milliseconds. */
function second(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}
