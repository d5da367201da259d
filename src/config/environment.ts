import { nearest } from '../lib/nearest.ts';
import { formatPath, type Path, type Schema, schemaAt, shapeOf } from './schema-keys.ts';
import { isMap, valueAt, withValueAt } from './written.ts';
import { readYaml } from './yaml.ts';

export const ENVIRONMENT_PREFIX = 'MANIFIX_';
/** Name and password of a registry, as `NAME:PASSWORD`, for commands that ask as a client. It is no key of the configuration. */
export const CREDENTIALS_VARIABLE = 'MANIFIX_USER';
export const WRONG_CREDENTIALS = `${CREDENTIALS_VARIABLE}: expected NAME:PASSWORD`;
/** What is said of a reference with a user name in it. */
export const NO_USER_IN_REFERENCE = `a reference has no user name and password in it: set ${CREDENTIALS_VARIABLE}=name:password`;

/** Name and password as that variable has them: nobody's where it is not set, undefined when it makes no sense. */
export function readCredentials(
  text: string | undefined,
): { readonly username: string; readonly password: string } | 'nobody' | undefined {
  if (text === undefined || text === '') return 'nobody';
  const [, username, password] = /^([^:]+):(.*)$/s.exec(text) ?? [];
  return username === undefined || password === undefined ? undefined : { username, password };
}

/** What the environment adds to a written configuration. */
export interface Overlay {
  readonly written: unknown;
  /** Path in its printed form, to the variable that set it. */
  readonly sources: ReadonlyMap<string, string>;
  readonly mistakes: readonly string[];
}

/** `tagTtl` is `TAG_TTL`, `second-question-mark` is `SECOND_QUESTION_MARK`. */
export function environmentWord(key: string): string {
  const words = key.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').replaceAll(/[^A-Za-z0-9]+/g, '_');
  return words.toUpperCase();
}

/**
 * Lays all MANIFIX_ variables over what the file says. Maps and lists are written as YAML or JSON; an empty variable is
 * one that is not set. A name goes before those that it begins, so that MANIFIX_ENDPOINTS_0_HOST may refine MANIFIX_ENDPOINTS.
 */
export function overlayEnvironment(schema: Schema, file: unknown, env: NodeJS.ProcessEnv): Overlay {
  const mistakes: string[] = [];
  const sources = new Map<string, string>();
  let written = file;
  for (const [variable, text] of inOrder(env)) {
    const path = choosePath(schema, written, variable, text);
    if (path === undefined) {
      mistakes.push(`${variable}: unknown variable${suggestion(schema, written, variable)}`);
      continue;
    }
    const outcome = readValue(schema, path, text);
    if ('wrong' in outcome) {
      mistakes.push(`${variable}: ${outcome.wrong}`);
      continue;
    }
    written = withValueAt(expandFix(schema, written, path), path, outcome.value);
    sources.set(formatPath(path), variable);
  }
  return { written, sources, mistakes };
}

function inOrder(env: NodeJS.ProcessEnv): readonly (readonly [string, string])[] {
  return Object.entries(env)
    .flatMap(([name, text]) => (isKey(name) && text !== undefined && text !== '' ? [[name, text] as const] : []))
    .sort(([one], [other]) => one.localeCompare(other, 'en', { numeric: true }));
}

function isKey(variable: string): boolean {
  return variable.startsWith(ENVIRONMENT_PREFIX) && variable !== CREDENTIALS_VARIABLE;
}

/** The place that a variable means: the deepest one, where underscores leave several. */
function choosePath(schema: Schema, written: unknown, variable: string, text: string): Path | undefined {
  const paths = pathsOf(schema, written, variable.slice(ENVIRONMENT_PREFIX.length));
  const deepest = paths.toSorted((one, other) => other.length - one.length)[0];
  if (deepest === undefined) return undefined;
  const last = deepest.at(-1);
  const parent = schemaAt(schema, deepest.slice(0, -1));
  // A whole upstream is a map; anything else means that the end of the name is mistyped, as in _HUB_ULR.
  const namesEntry = typeof last === 'string' && parent !== undefined && shapeOf(parent).kind === 'named';
  return namesEntry && !isMapText(text) ? undefined : deepest;
}

function pathsOf(schema: Schema, written: unknown, words: string): readonly Path[] {
  const shape = shapeOf(schema);
  if (shape.kind === 'map') {
    return Object.entries(shape.members).flatMap(([key, member]) =>
      after(environmentWord(key), words).flatMap((rest) => continued(key, member, written, rest)),
    );
  }
  if (shape.kind === 'list') {
    const index = /^\d{1,4}(?=_|$)/.exec(words)?.[0];
    const key = Number(index);
    // The next entry may be added, but no gap may be left before it.
    if (index === undefined || key > listLength(written)) return [];
    return after(index, words).flatMap((rest) => continued(key, shape.each, written, rest));
  }
  if (shape.kind !== 'named') return [];
  const parts = words.split('_');
  return parts.flatMap((_, index) => {
    const name = nameOf(parts.slice(0, index + 1).join('_'), written);
    const rest = parts.slice(index + 1);
    return continued(name, shape.each, written, rest.length === 0 ? undefined : rest.join('_'));
  });
}

function continued(key: string | number, schema: Schema, written: unknown, rest: string | undefined): readonly Path[] {
  if (rest === undefined) return [[key]];
  return pathsOf(schema, valueAt(written, [key]), rest).map((path) => [key, ...path]);
}

/** What is left of `words` behind a word: nothing (`[undefined]`), the rest, or `[]` when it does not begin with it. */
function after(word: string, words: string): readonly (string | undefined)[] {
  if (words === word) return [undefined];
  return words.startsWith(`${word}_`) ? [words.slice(word.length + 1)] : [];
}

/** The entry of the file that these words mean, or the name of a new one. */
function nameOf(words: string, written: unknown): string {
  const names = isMap(written) ? Object.keys(written) : [];
  return names.find((name) => environmentWord(name) === words) ?? words.toLowerCase().replaceAll('_', '-');
}

function listLength(written: unknown): number {
  return Array.isArray(written) ? written.length : 0;
}

function readValue(schema: Schema, path: Path, text: string): { value: unknown } | { wrong: string } {
  const target = schemaAt(schema, path);
  const kind = target === undefined ? 'text' : shapeOf(target).kind;
  if (kind === 'text' || kind === 'word') return { value: text };
  const outcome = readYaml(text);
  return 'written' in outcome ? { value: outcome.written } : { wrong: 'expected a value in YAML or JSON' };
}

function isMapText(text: string): boolean {
  const outcome = readYaml(text);
  return 'written' in outcome && isMap(outcome.written);
}

/** `fix: observe` becomes `fix: { mode: observe }`, so that a variable can set an option beside it. */
function expandFix(schema: Schema, written: unknown, path: Path): unknown {
  const parentPath = path.slice(0, -1);
  const parent = schemaAt(schema, parentPath);
  const setting = valueAt(written, parentPath);
  const shape = parent === undefined ? undefined : shapeOf(parent);
  const isFix = shape?.kind === 'map' && Object.hasOwn(shape.members, 'mode');
  return isFix && (typeof setting === 'string' || typeof setting === 'boolean')
    ? withValueAt(written, parentPath, { mode: setting })
    : written;
}

function suggestion(schema: Schema, written: unknown, variable: string): string {
  const words = variable.slice(ENVIRONMENT_PREFIX.length);
  const meant = nearest(words, variableNames(schema, written, words));
  return meant === undefined
    ? '; docs/configuration.md lists all of them'
    : `; did you mean ${ENVIRONMENT_PREFIX}${meant}?`;
}

/** The variables there are, without their prefix, with the names and numbers that the file or the mistyped words give. */
function variableNames(schema: Schema, written: unknown, words: string): readonly string[] {
  const shape = shapeOf(schema);
  const below = (key: string | number, word: string, member: Schema) => [
    word,
    ...variableNames(member, valueAt(written, [key]), words).map((rest) => `${word}_${rest}`),
  ];
  if (shape.kind === 'map') {
    return Object.entries(shape.members).flatMap(([key, member]) => below(key, environmentWord(key), member));
  }
  if (shape.kind === 'list') {
    return Array.from({ length: listLength(written) + 1 }, (_, index) => below(index, `${index}`, shape.each)).flat();
  }
  if (shape.kind !== 'named') return [];
  const names = isMap(written) ? Object.keys(written) : [];
  const newName = words.split('_').slice(1, -1).join('_');
  const known = names.flatMap((name) => below(name, environmentWord(name), shape.each));
  return newName === '' ? known : [...known, ...below(newName, newName, shape.each)];
}
