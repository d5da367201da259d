import { parseDocument } from 'yaml';
import { withoutEmpty } from './written.ts';

/** One mistake in a YAML text; line and column count from 1, and are left out where the reader gives none. */
export interface YamlMistake {
  readonly position: string;
  readonly message: string;
}

/** Reads one YAML 1.2 document as maps, lists and scalars; keys without a value are left out. Never throws. */
export function readYaml(text: string): { readonly written: unknown } | { readonly mistakes: readonly YamlMistake[] } {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  if (document.errors.length > 0) {
    return {
      mistakes: document.errors.map(({ code, message, pos }) => ({
        position: positionOf(text, pos[0]),
        message: code === 'MULTIPLE_DOCS' ? 'A second document begins; there must be only one' : message,
      })),
    };
  }
  try {
    return { written: withoutEmpty(document.toJS()) };
  } catch (error) {
    // Aliases that lead nowhere, or that would multiply without end, are only found here.
    return { mistakes: [{ position: '', message: error instanceof Error ? error.message : String(error) }] };
  }
}

function positionOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}
