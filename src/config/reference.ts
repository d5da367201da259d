import { ENVIRONMENT_PREFIX, environmentWord } from './environment.ts';
import { FIXES_TYPE, metadata, type Schema, shapeOf, writtenDefault } from './schema-keys.ts';

/** One key of the reference. */
export interface KeyReference {
  /** `upstreams.<name>.url`, `endpoints[].host` */
  readonly key: string;
  readonly type: string;
  /** As a user would write it; undefined for a key that has none. */
  readonly default: string | undefined;
  /** `MANIFIX_UPSTREAMS_<NAME>_URL` */
  readonly variable: string;
  readonly meaning: string;
}

/** All keys in the order of the schema; the fixes of a place are one entry. */
export function listKeys(schema: Schema): readonly KeyReference[] {
  return below(schema, '', ENVIRONMENT_PREFIX);
}

function below(schema: Schema, key: string, variable: string): readonly KeyReference[] {
  const shape = shapeOf(schema);
  const type = metadata(schema, 'type');
  const join = (name: string, word: string) =>
    [
      key === '' ? name : `${key}.${name}`,
      variable === ENVIRONMENT_PREFIX ? `${variable}${word}` : `${variable}_${word}`,
    ] as const;
  if (shape.kind === 'map' && type === undefined) {
    return Object.entries(shape.members).flatMap(([name, member]) =>
      below(member, ...join(name, environmentWord(name))),
    );
  }
  if (shape.kind === 'named' && type === undefined) return below(shape.each, ...join('<name>', '<NAME>'));
  if (shape.kind === 'list' && shapeOf(shape.each).kind === 'map')
    return below(shape.each, `${key}[]`, `${variable}_<N>`);
  return [
    {
      key,
      type: typeName(schema),
      default: formatDefault(writtenDefault(schema)),
      variable: type === FIXES_TYPE ? `${variable}_<FIX>` : variable,
      meaning: metadata(schema, 'description') ?? '',
    },
  ];
}

function typeName(schema: Schema): string {
  const shape = shapeOf(schema);
  if (shape.kind === 'list') return `list of ${metadata(shape.each, 'type') ?? 'values'}`;
  if (shape.kind === 'word') return shape.words.join(', ');
  return metadata(schema, 'type') ?? 'text';
}

function formatDefault(written: unknown): string | undefined {
  if (written === undefined) return undefined;
  return typeof written === 'string' ? written : JSON.stringify(written);
}
