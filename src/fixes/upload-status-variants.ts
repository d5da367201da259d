import { type HeaderList, headerValue, withHeader, withoutHeaders } from '../domain/headers.ts';
import { parseMediaType } from '../domain/media-type.ts';
import { queryValue } from '../domain/query.ts';
import type { Fix, ResponseView } from './fix.ts';

/** skopeo and crane take nothing but the status of the specification for success; ECR answers 201 to a PATCH. */
export const uploadStatusVariants: Fix = {
  id: 'upload-status-variants',
  title: 'The success of each step of an upload has the status that the specification gives it',
  symptom: '`received unexpected HTTP status: 204 No Content` for a blob that is stored',
  defaultMode: 'on',
  digest: 'unchanged',
  response: (view) => {
    const { status, headers } = view;
    const due = dueStatus(view);
    if (due === undefined || due === status || isPage(headers)) return undefined;
    return { note: `answered ${status} with ${due}`, status: due, headers: framed(headers, status, due) };
  },
};

/** What distribution-spec ("Pushing blobs") has for this success; undefined for what is none, or one of several. */
function dueStatus(view: ResponseView): number | undefined {
  const { status, request, headers } = view;
  const { method, route } = request;
  const isPlain = status === 200 || status === 204;
  if (route.kind === 'upload-start' && method === 'POST') return dueToPost(view, isPlain);
  if (route.kind !== 'upload') return undefined;
  switch (method) {
    case 'PATCH':
      return isPlain || status === 201 ? 202 : undefined;
    case 'PUT':
      return isPlain ? 201 : undefined;
    case 'GET':
      return status === 200 && headerValue(headers, 'Range') !== undefined ? 204 : undefined;
    default:
      return undefined;
  }
}

/** A mount or a whole blob may be done with the POST, or go on in a session; then Location says which. */
function dueToPost({ request, status, headers }: ResponseView, isPlain: boolean): number | undefined {
  const opensOnly =
    queryValue(request.query, 'mount') === undefined && queryValue(request.query, 'digest') === undefined;
  if (opensOnly) return isPlain || status === 201 ? 202 : undefined;
  if (!isPlain) return undefined;
  return headerValue(headers, 'Location')?.includes('/blobs/uploads/') === true ? 202 : 201;
}

/** A page for login comes with 200 for any URL, and nothing was stored. */
function isPage(headers: HeaderList): boolean {
  return parseMediaType(headerValue(headers, 'Content-Type')) === 'text/html';
}

/** 204 has no body and no Content-Length (RFC 9110, section 8.6), the others say that theirs is empty. */
function framed(headers: HeaderList, status: number, due: number): HeaderList {
  if (due === 204) return withoutHeaders(headers, 'Content-Length', 'Content-Type');
  return status === 204 ? withHeader(headers, 'Content-Length', '0') : headers;
}
