import type { OciError } from './errors.ts';
import { clientName, type RequestNames } from './repository-names.ts';

/** Errors of the upstream with the name of the request's repository as the client knows it. Codes and all else stay. */
export function errorsForClient(errors: readonly OciError[], names: RequestNames): readonly OciError[] {
  const { asked } = names;
  if (asked === undefined || asked.client === asked.upstream) return errors;
  const inText = textRenamer(asked.upstream, asked.client);
  const rename = (value: unknown): unknown => {
    if (typeof value === 'string') return value === asked.upstream ? clientName(names, value) : inText(value);
    if (Array.isArray(value)) return value.map(rename);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, rename(member)]));
  };
  return errors.map((error) => ({
    ...error,
    ...(error.message === undefined ? {} : { message: inText(error.message) }),
    ...(error.detail === undefined ? {} : { detail: rename(error.detail) }),
  }));
}

/**
 * In a sentence only what cannot be another word is a name: one with a slash in it, one in quotes, or one in a path. A
 * repository called "blob" does not change "blob unknown to registry".
 */
function textRenamer(from: string, to: string): (text: string) => string {
  const name = from.replaceAll('.', '\\.');
  const alone = from.includes('/') ? `(?<![\\w./-])${name}(?![\\w/-]|\\.\\w)` : `(?<=["'\`])${name}(?=["'\`])`;
  const pattern = new RegExp(`(?<=/v2/)${name}(?=/)|${alone}`, 'g');
  return (text) => text.replaceAll(pattern, () => to);
}
