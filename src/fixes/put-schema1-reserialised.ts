import { RegistryError } from '../domain/errors.ts';
import { headerValue } from '../domain/headers.ts';
import { isManifestType, MANIFEST_TYPES, parseMediaType } from '../domain/media-type.ts';
import type { Fix, RequestView } from './fix.ts';

const EXPLANATION = [
  'A schema 1 manifest arrived: registries make one on the spot for a GET whose Accept header names no manifest type.',
  'It is signed over its exact bytes and most registries refuse it.',
  'Fetch the manifest again through manifix, or with',
  `Accept: ${MANIFEST_TYPES.join(', ')};`,
  'push that body, unchanged, with the Content-Type of the answer.',
].join(' ');

/**
 * Under another type's header no registry takes schema 1. Under its own it is sent on: a registry may be set to accept it.
 */
export const putSchema1Reserialised: Fix = {
  id: 'put-schema1-reserialised',
  title: 'A pushed schema 1 manifest is refused or explained, with where it came from',
  symptom: '`MANIFEST_INVALID` for a manifest that was just pulled',
  defaultMode: 'on',
  digest: 'unchanged',
  request: (view) => {
    const declared = parseMediaType(headerValue(view.clientHeaders, 'Content-Type'));
    if (!pushesSchema1(view) || !isManifestType(declared)) return undefined;
    const refuse = new RegistryError('MANIFEST_INVALID', {
      message: 'this is a schema 1 manifest',
      explanation: EXPLANATION,
      fix: 'put-schema1-reserialised',
    });
    return { note: 'refused a schema 1 manifest', refuse };
  },
  response: ({ request, status, errors, explained }) => {
    if (errors === undefined || explained === true || !pushesSchema1(request)) return undefined;
    return isRefusal(status) ? { note: 'explained a refused schema 1 manifest', explain: EXPLANATION } : undefined;
  },
};

function pushesSchema1({ method, route, manifest }: RequestView): boolean {
  return method === 'PUT' && route.kind === 'manifest' && manifest?.inspection.shape === 'schema1';
}

/** docker-registry answers 500 when the signature holds and 400 when it does not. */
function isRefusal(status: number): boolean {
  return status === 400 || status === 415 || status === 422 || status === 500;
}
