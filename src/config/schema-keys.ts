import { z } from 'zod';

// Reads the schema itself, so that the environment, the reference and the "did you mean" of a mistake follow it.

export type Schema = z.core.$ZodType;
/** A place in a configuration: `['endpoints', 0, 'host']`. */
export type Path = readonly (string | number)[];

/** The type, in metadata, of the maps that set fixes. */
export const FIXES_TYPE = 'map of fixes';

/** What may stand at one place. */
export type Shape =
  | { readonly kind: 'map'; readonly members: Readonly<Record<string, Schema>> }
  | { readonly kind: 'named'; readonly each: Schema }
  | { readonly kind: 'list'; readonly each: Schema }
  | { readonly kind: 'word'; readonly words: readonly string[] }
  | { readonly kind: 'text' };

/** Sees through defaults and preparation: what is written at this place? */
export function shapeOf(schema: Schema): Shape {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) return { kind: 'map', members: inner.shape };
  if (inner instanceof z.ZodRecord) return { kind: 'named', each: inner.valueType };
  if (inner instanceof z.ZodArray) return { kind: 'list', each: inner.element };
  if (inner instanceof z.ZodEnum) return { kind: 'word', words: inner.options.map(String) };
  return { kind: 'text' };
}

/** The schema of the place that `key` leads to; undefined when there is no such place. */
function memberOf(schema: Schema, key: string | number): Schema | undefined {
  const shape = shapeOf(schema);
  if (shape.kind === 'map') return Object.hasOwn(shape.members, key) ? shape.members[key] : undefined;
  return shape.kind === 'named' || shape.kind === 'list' ? shape.each : undefined;
}

/** The schema at the end of a path; undefined when the path leaves the schema. */
export function schemaAt(root: Schema, path: Path): Schema | undefined {
  let schema: Schema | undefined = root;
  for (const key of path) schema = schema === undefined ? undefined : memberOf(schema, key);
  return schema;
}

/** The default as a user would write it; undefined when there is none. */
export function writtenDefault(schema: Schema): unknown {
  return schema instanceof z.ZodPrefault ? schema.def.defaultValue : undefined;
}

/** One metadata field of a schema or of what it wraps: the outermost that has it. */
export function metadata(schema: Schema, name: 'description' | 'type'): string | undefined {
  let current: Schema | undefined = schema;
  while (current !== undefined) {
    const value = z.globalRegistry.get(current)?.[name];
    if (typeof value === 'string') return value;
    current = wrapped(current);
  }
  return undefined;
}

/** `endpoints[0].host`, as mistakes name a place. */
export function formatPath(path: Path): string {
  const steps = path.map((key, index) => {
    if (typeof key === 'number') return `[${key}]`;
    return `${index === 0 ? '' : '.'}${/^[\w.-]+$/.test(key) ? key : JSON.stringify(key)}`;
  });
  return steps.join('');
}

function unwrap(schema: Schema): Schema {
  const inner = wrapped(schema);
  return inner === undefined ? schema : unwrap(inner);
}

function wrapped(schema: Schema): Schema | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) return schema.unwrap();
  // A preprocess is a pipe that begins with a transform; what is written is described by its end.
  return schema instanceof z.ZodPipe && schema.in instanceof z.ZodTransform ? schema.out : undefined;
}
