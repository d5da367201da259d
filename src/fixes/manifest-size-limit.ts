import type { OciError } from '../domain/errors.ts';
import type { Fix } from './fix.ts';

/** Go's http.MaxBytesReader; docker-registry stops at 4 MiB. */
const TOO_LARGE = 'request body too large';

export const manifestSizeLimit: Fix = {
  id: 'manifest-size-limit',
  title: 'A manifest that is too big for the registry is answered with 413',
  symptom: '400 `http: request body too large`',
  defaultMode: 'on',
  digest: 'unchanged',
  response: ({ request, status, errors, explained }) => {
    const { method, route, manifest } = request;
    if (status !== 400 || method !== 'PUT' || route.kind !== 'manifest') return undefined;
    if (errors?.some(saysTooLarge) !== true) return undefined;
    const size = manifest === undefined ? 'The manifest' : `The manifest has ${manifest.bytes.length} bytes, which`;
    const explain = `${size} is more than the registry takes (docker-registry stops at 4194304 bytes); move large annotations or inline data into a blob, or split the index.`;
    return { note: '400 made into 413', status: 413, ...(explained === true ? {} : { explain }) };
  },
};

function saysTooLarge({ message, detail }: OciError): boolean {
  return [message, detail].some((text) => typeof text === 'string' && text.includes(TOO_LARGE));
}
