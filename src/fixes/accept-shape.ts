import { acceptedTypes, formatAccept } from '../domain/accept.ts';
import { headerValues, withHeader } from '../domain/headers.ts';
import { readsManifest } from './accept-header.ts';
import type { Fix } from './fix.ts';

/** Some registries read only the first Accept line, or compare the raw text; podman sends one line per type. */
export const acceptShape: Fix = {
  id: 'accept-shape',
  title: 'An Accept in any legal shape reaches the registry as one plain line',
  symptom: '404, 406 or schema 1 although the client listed the right type',
  defaultMode: 'on',
  digest: 'unchanged',
  request: (view) => {
    if (!readsManifest(view)) return undefined;
    const lines = headerValues(view.headers, 'Accept');
    const types = acceptedTypes(view.headers);
    const wanted = formatAccept(types);
    if (types.length === 0 || (lines.length === 1 && lines[0] === wanted)) return undefined;
    return { note: 'wrote Accept as one line of plain types', headers: withHeader(view.headers, 'Accept', wanted) };
  },
};
