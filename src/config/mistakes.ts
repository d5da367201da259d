import type { z } from 'zod';
import { didYouMean, nearest } from '../lib/nearest.ts';
import { expectedInstead } from './fields.ts';
import { listKeys } from './reference.ts';
import { FIXES_TYPE, formatPath, metadata, type Path, type Schema, schemaAt, shapeOf } from './schema-keys.ts';
import { isMap, valueAt } from './written.ts';

/** One thing wrong at one place. */
export interface Mistake {
  readonly path: Path;
  readonly message: string;
}

/** Says what the schema found in our words, with the nearest known key for an unknown one. */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  schema: Schema,
  written: unknown,
): readonly Mistake[] {
  return issues.flatMap((issue) => {
    const path = issue.path.filter((key) => typeof key !== 'symbol');
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(schema, path, key));
    const place = writtenPlace(path, written);
    return [{ path: place, message: messageOf(issue, place, valueAt(written, place)) }];
  });
}

/** `path: message`, and the variable or flag that set the value, if one did. */
export function formatMistake({ path, message }: Mistake, sources: ReadonlyMap<string, string>): string {
  const setters = path.map((_, index) => sources.get(formatPath(path.slice(0, path.length - index))));
  const setter = setters.find((name) => name !== undefined);
  return `${formatPath(path)}: ${message}${setter === undefined ? '' : ` (set by ${setter})`}`;
}

/** `fixes.<id>.mode` is `fixes.<id>` where the file says `<id>: on` for short. */
function writtenPlace(path: Path, written: unknown): Path {
  const parent = path.slice(0, -1);
  const holder = valueAt(written, parent);
  return path.at(-1) === 'mode' && holder !== undefined && !isMap(holder) ? parent : path;
}

function messageOf(issue: z.core.$ZodIssue, path: Path, value: unknown): string {
  if (issue.code === 'invalid_value') {
    const words = issue.values.map(String);
    const suggestion = typeof value === 'string' ? didYouMean(value, words) : '';
    return expectedInstead(`one of ${words.join(', ')}`, value) + suggestion;
  }
  if (issue.code === 'invalid_type' && value !== undefined) {
    const isAdminOff = formatPath(path) === 'admin' && (value === 'off' || value === false);
    const hint = isAdminOff ? '; did you mean admin: { listen: off }?' : '';
    return expectedInstead(issue.expected === 'array' ? 'a list' : 'a map of keys', value) + hint;
  }
  return issue.message;
}

function unknownKey(schema: Schema, path: Path, key: string): Mistake {
  const parent = schemaAt(schema, path);
  const shape = parent === undefined ? undefined : shapeOf(parent);
  const siblings = shape?.kind === 'map' ? Object.keys(shape.members) : [];
  const isFixes = parent !== undefined && metadata(parent, 'type') === FIXES_TYPE;
  const found = isFixes ? 'unknown fix' : 'unknown key';
  const help =
    didYouMean(key, siblings) ||
    (isFixes ? '; docs/fixes/README.md lists all fixes' : elsewhere(schema, key, siblings));
  return { path: [...path, key], message: `${found}${help}` };
}

/** A known key that stands at another place, or else what there is at this one. */
function elsewhere(schema: Schema, key: string, siblings: readonly string[]): string {
  // Of a key that several places have, the first one is meant: that for all endpoints.
  const keys = listKeys(schema).toReversed();
  const places = new Map(keys.map((entry) => [entry.key.split('.').at(-1) ?? '', entry.key]));
  const meant = nearest(key, [...places.keys()]);
  return meant === undefined ? `; known here: ${siblings.join(', ')}` : `; did you mean "${places.get(meant)}"?`;
}
