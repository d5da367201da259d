import type { OciError } from '../domain/errors.ts';
import { headerValue } from '../domain/headers.ts';
import { OCTET_STREAM } from '../domain/media-type.ts';
import { queryValue } from '../domain/query.ts';
import type { RequestView } from './fix.ts';
import { carriesUploadState, decodeEscapedState, separateQuestionMarks } from './upload-query.ts';

const WHOLE_LOCATION = 'Use the Location of the last answer as it is, and in quotes';

/** Why a registry does not know or accept an upload session; undefined when the request tells nothing. */
export function explainUpload({ method, route, query }: RequestView, { detail }: OciError): string | undefined {
  if (route.kind === 'upload-start' && method !== 'POST') {
    return `A ${method} arrived where uploads are opened with a POST. After a redirect, curl -L makes a GET of a POST that has data: use -X POST, or the URL with the slash at its end.`;
  }
  if (route.kind !== 'upload') return undefined;
  if (separateQuestionMarks(query) !== query) {
    return `The URL has a second ?, so that the registry reads the digest as part of its upload state. ${WHOLE_LOCATION}, with &digest=sha256:<hex> appended.`;
  }
  if (decodeEscapedState(query) !== query) {
    return `The upload state in the URL was percent-encoded twice (%25). ${WHOLE_LOCATION}; Spring's RestTemplate leaves it alone when it is given a URI object.`;
  }
  if (!carriesUploadState(query)) {
    return `The URL carries no upload state: what the registry put behind the ? of the Location got lost. ${WHOLE_LOCATION}, with ${queryValue(query, 'digest') === undefined ? 'its query' : '&digest=sha256:<hex> appended to its query'}.`;
  }
  return explainState(detail);
}

/** docker-registry puts its decoder's error in `detail`: a byte offset, or `{}` when its signature does not match. */
function explainState(detail: unknown): string {
  if (typeof detail === 'number') {
    return `The upload state in the URL is damaged at its byte ${detail}. ${WHOLE_LOCATION}, with &digest=sha256:<hex> appended.`;
  }
  if (typeof detail === 'object' && detail !== null && Object.keys(detail).length === 0) {
    return `The registry did not sign the upload state in the URL: it was altered, or another registry made it, such as an instance behind the same address with another http.secret. ${WHOLE_LOCATION}.`;
  }
  return 'The upload session has moved on or is over: each answer has a new Location for the next request, and a PUT that failed ends the session. Open a new one with a POST and send the body again.';
}

/** docker-registry answers 500 to a chunk that is declared as anything but a plain stream of bytes. */
export function explainUploadType({ method, route, headers }: RequestView): string | undefined {
  const type = headerValue(headers, 'Content-Type') ?? OCTET_STREAM;
  if (method !== 'PATCH' || route.kind !== 'upload' || type === OCTET_STREAM) return undefined;
  return `The chunk was sent as ${type}, which docker-registry does not take. Send Content-Type: ${OCTET_STREAM}, with a colon behind the name.`;
}
