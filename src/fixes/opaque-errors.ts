import type { OciError } from '../domain/errors.ts';
import { explainAccess } from './explain-access.ts';
import { explainDigest } from './explain-digest.ts';
import { explainManifestBody } from './explain-manifest-body.ts';
import { explainMissingContent } from './explain-missing-content.ts';
import { explainUpload, explainUploadType } from './explain-upload.ts';
import type { Fix, RequestView, ResponseView } from './fix.ts';

/** docker-registry puts Go errors into JSON, which leaves `{}` or a number where the reason was. */
export const opaqueErrors: Fix = {
  id: 'opaque-errors',
  title: 'Errors gain a sentence that says what arrived, why it is refused and what to do',
  symptom: '`MANIFEST_INVALID` or `BLOB_UPLOAD_INVALID` without a reason',
  defaultMode: 'on',
  digest: 'unchanged',
  response: (view) => {
    const { errors = [], explained } = view;
    const [first] = errors;
    if (first === undefined || explained === true) return undefined;
    const explain = explanationOf(view, first, errors);
    return explain === undefined ? undefined : { note: `explained ${first.code}`, explain };
  },
};

function explanationOf(view: ResponseView, first: OciError, errors: readonly OciError[]): string | undefined {
  switch (first.code) {
    case 'MANIFEST_BLOB_UNKNOWN':
    case 'BLOB_UNKNOWN':
      return pushesManifest(view.sent) ? explainMissingContent(view.sent, errors) : undefined;
    case 'BLOB_UPLOAD_INVALID':
    case 'BLOB_UPLOAD_UNKNOWN':
      return explainUpload(view.sent, first);
    case 'DIGEST_INVALID':
      return explainDigest(view);
    case 'UNKNOWN':
      return view.status === 500 ? explainUploadType(view.sent) : undefined;
    default:
      return (refusesManifest(view) ? explainManifestBody(view.sent) : undefined) ?? explainAccess(view, first);
  }
}

function pushesManifest({ method, route }: RequestView): boolean {
  return method === 'PUT' && route.kind === 'manifest';
}

/** Registries also say 415 or 422 of a body that they cannot read. */
function refusesManifest({ sent, status }: ResponseView): boolean {
  return pushesManifest(sent) && (status === 400 || status === 415 || status === 422);
}
