import { type HeaderList, headerValue, withHeader } from '../domain/headers.ts';
import type { Fix } from './fix.ts';

/** Docker up to 20.10 takes an answer without it for a registry of the first generation. */
export const apiVersionHeader: Fix = {
  id: 'api-version-header',
  title: 'Every answer carries Docker-Distribution-Api-Version',
  symptom: 'Docker up to 20.10 takes the registry for one of the first generation',
  defaultMode: 'on',
  digest: 'unchanged',
  manifest: (view) => completed(view.headers),
  response: (view) => completed(view.headers),
};

function completed(headers: HeaderList): { note: string; headers: HeaderList } | undefined {
  if (headerValue(headers, 'Docker-Distribution-Api-Version') !== undefined) return undefined;
  return {
    note: 'added Docker-Distribution-Api-Version',
    headers: withHeader(headers, 'Docker-Distribution-Api-Version', 'registry/2.0'),
  };
}
