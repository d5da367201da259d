import type { Fix } from './fix.ts';
import { separateQuestionMarks } from './upload-query.ts';

const DIGEST_IN_PATH = '&digest=';

/** Scripts append `?digest=` to a Location that has a query already, or `&digest=` to one that has none. */
export const secondQuestionMark: Fix = {
  id: 'second-question-mark',
  title: 'A second ? in an upload URL, or an & without any ?, is put right',
  symptom: '`BLOB_UPLOAD_INVALID` with a number as its detail',
  defaultMode: 'on',
  digest: 'unchanged',
  request: ({ route, query }) => {
    if (route.kind !== 'upload') return undefined;
    const split = splitId(route.id);
    const parameters = [split?.query ?? '', query].filter((part) => part !== '').join('&');
    const separated = separateQuestionMarks(parameters);
    if (separated === query) return undefined;
    return {
      note: split === undefined ? 'turned a second ? into &' : 'found the query in the path',
      ...(split && { route: { ...route, id: split.id } }),
      query: separated,
    };
  },
};

/** Parts an id from the `&digest=...` that was appended to it. */
function splitId(id: string): { readonly id: string; readonly query: string } | undefined {
  const at = id.indexOf(DIGEST_IN_PATH);
  return at <= 0 ? undefined : { id: id.slice(0, at), query: id.slice(at + 1) };
}
