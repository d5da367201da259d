import { mapQueryValues, withoutQueryParameter } from '../domain/query.ts';

/**
 * Raw queries, without the leading `?`. Upload queries are the registry's own and opaque (distribution-spec, "Pushing
 * blobs"), and registries sign them, so nothing here decodes or encodes a byte that is not being repaired.
 */

/** What asks for a mount (distribution-spec, "Mounting a blob from another repository"), and docker's hint at where it is from. */
const MOUNT_PARAMETERS = ['mount', 'from', 'origin'];

/** The query of a POST that only opens a session. */
export function withoutMount(query: string): string {
  return MOUNT_PARAMETERS.reduce(withoutQueryParameter, query);
}

/** A literal `?` in front of `name=`: somebody appended a parameter as if there were no query yet. */
const STRAY_QUESTION_MARK = /\?(?=[\w.~-]+=)/g;

/** The query with every `?` in front of a `name=` turned into the `&` that belongs there. */
export function separateQuestionMarks(query: string): string {
  return query.includes('?') ? query.replace(STRAY_QUESTION_MARK, (_mark, at: number) => (at === 0 ? '' : '&')) : query;
}

/** Parameters that the client writes, as opposed to the registry's upload state. */
const CLIENT_PARAMETERS: ReadonlySet<string> = new Set(['digest', 'mount', 'from']);

/** `%` escaped at least once more: `%253D`, `%25253D`. */
const ESCAPED_PERCENT = /%(?:25)+(?=[0-9A-Fa-f]{2})/g;

/** The query with the registry's state as it was before somebody percent-encoded it again. */
export function decodeEscapedState(query: string): string {
  if (!query.includes('%25')) return query;
  return mapQueryValues(query, (name, value) =>
    CLIENT_PARAMETERS.has(name) ? value : value.replace(ESCAPED_PERCENT, '%'),
  );
}

/** Whether the query carries anything besides what the client writes itself. */
export function carriesUploadState(query: string): boolean {
  return query.split('&').some((part) => part !== '' && !CLIENT_PARAMETERS.has(part.split('=', 1).join()));
}
