import { type HeaderList, headerValues } from './headers.ts';
import { isImageManifestType, isIndexType, MANIFEST_TYPES } from './media-type.ts';

declare const viewBrand: unique symbol;

/** The class of a manifest request: which of the four manifest types its Accept names. Equal views get equal answers. */
export type View = string & { readonly [viewBrand]: true };

const RANGE_FORM = /^[!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+$/;
const ZERO_WEIGHT = /^\s*q\s*=\s*(?:0(?:\.0*)?|\.0+)\s*$/i;

/**
 * Reads all Accept lines of a request into lower-case media ranges (RFC 9110, section 12.5.1), in order and each once.
 * Parameters and malformed members are dropped, and so is what the client rules out with `q=0`. Order is no preference:
 * the Docker CLI shuffles it.
 */
export function parseAccept(lines: readonly string[]): readonly string[] {
  const types = lines.flatMap((line) => splitOutsideQuotes(line, ',')).flatMap(parseMember);
  return [...new Set(types)];
}

const accepted = new WeakMap<HeaderList, readonly string[]>();

/**
 * What the Accept fields of a list name, as `parseAccept` reads them. It is remembered with the list, because fixes and
 * the cache ask for it several times in each request.
 */
export function acceptedTypes(headers: HeaderList): readonly string[] {
  const known = accepted.get(headers);
  if (known !== undefined) return known;
  const types = parseAccept(headerValues(headers, 'Accept'));
  accepted.set(headers, types);
  return types;
}

function parseMember(member: string): readonly string[] {
  const [range = '', ...parameters] = splitOutsideQuotes(member, ';');
  const type = range.trim().toLowerCase();
  return RANGE_FORM.test(type) && !parameters.some((parameter) => ZERO_WEIGHT.test(parameter)) ? [type] : [];
}

/** One Accept value: some registries read only the first line. */
export function formatAccept(types: readonly string[]): string {
  return types.join(', ');
}

/** The view of parsed Accept types: `all`, `none`, or the manifest types they name, sorted and joined with `+`. */
export function viewOf(types: readonly string[]): View {
  const named = MANIFEST_TYPES.filter((type) => types.includes(type));
  if (named.length === MANIFEST_TYPES.length) return 'all' as View;
  return (named.length === 0 ? 'none' : named.toSorted().join('+')) as View;
}

/** Whether parsed Accept types name an image manifest and no index: what such a client cannot read is an index. */
export function acceptsOnlyImages(types: readonly string[]): boolean {
  return types.some(isImageManifestType) && !types.some(isIndexType);
}

function splitOutsideQuotes(text: string, separator: string): readonly string[] {
  // As all clients that are known write it; each character by itself takes a tenth of the time of a cached answer.
  if (!text.includes('"')) return text.split(separator);
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (quoted && character === '\\') at += 1;
    else if (character === '"') quoted = !quoted;
    else if (character === separator && !quoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
