import { mapQueryValues } from '../domain/query.ts';
import { shapedDigestValue } from './digest-parameter.ts';
import type { Fix } from './fix.ts';

/** The form only: a digest that does not match the content is never made to. */
export const digestParameterShape: Fix = {
  id: 'digest-parameter-shape',
  title: 'The digest parameter of an upload loses blanks and capitals and gains its algorithm',
  symptom: '`DIGEST_INVALID`: `digest parsing failed`',
  defaultMode: 'on',
  digest: 'unchanged',
  request: ({ route, query }) => {
    if (route.kind !== 'upload' && route.kind !== 'upload-start') return undefined;
    const shaped = mapQueryValues(query, (name, value) => (name === 'digest' ? shapedDigestValue(value) : value));
    return shaped === query ? undefined : { note: 'put the digest parameter into its form', query: shaped };
  },
};
