import { headerValue, withHeader } from '../domain/headers.ts';
import type { Fix } from './fix.ts';

/** Registries choose the parser by the header: a form, JSON or a mere synonym makes a good manifest invalid. */
export const putContentTypeWrong: Fix = {
  id: 'put-content-type-wrong',
  title: 'A pushed manifest gets the Content-Type that its bytes call for',
  symptom: '`MANIFEST_INVALID` with `{}` as its detail for a good manifest',
  defaultMode: 'on',
  digest: 'unchanged',
  request: ({ method, route, manifest, headers }) => {
    if (method !== 'PUT' || route.kind !== 'manifest') return undefined;
    const type = manifest?.inspection.type;
    if (type === undefined || headerValue(headers, 'Content-Type') === type) return undefined;
    return { note: `Content-Type set to ${type}`, headers: withHeader(headers, 'Content-Type', type) };
  },
};
