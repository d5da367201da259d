import type { Digest } from '../domain/digest.ts';
import { type HeaderList, headerValue, withHeader } from '../domain/headers.ts';
import { formatRoute } from '../domain/route-path.ts';
import { digestParameter } from './digest-parameter.ts';
import type { Fix, ResponseView } from './fix.ts';

/** containerd and BuildKit read the digest of a finished upload from the answer and fail without it. */
export const uploadNoDigestHeader: Fix = {
  id: 'upload-no-digest-header',
  title: 'The answer to a finished upload names the blob: Docker-Content-Digest and Location',
  symptom: '`invalid content digest in response: invalid checksum digest format`',
  defaultMode: 'on',
  digest: 'unchanged',
  response: (view) => {
    const digest = storedBlob(view);
    if (digest === undefined) return undefined;
    const headers = withBlobLocation(view, withDigest(view.headers, digest), digest);
    return headers === view.headers ? undefined : { note: 'named the blob that was stored', headers };
  },
};

/** The blob that this answer says is stored: of a PUT, or of a POST that carried the whole blob. */
function storedBlob({ request, sent, status }: ResponseView): Digest | undefined {
  const { method, route } = request;
  const finishes =
    (method === 'PUT' && route.kind === 'upload' && (status === 200 || status === 201 || status === 204)) ||
    (method === 'POST' && route.kind === 'upload-start' && status === 201);
  return finishes ? (digestParameter(sent.query) ?? digestParameter(request.query)) : undefined;
}

function withDigest(headers: HeaderList, digest: Digest): HeaderList {
  return headerValue(headers, 'Docker-Content-Digest') === undefined
    ? withHeader(headers, 'Docker-Content-Digest', digest)
    : headers;
}

function withBlobLocation(
  { request, status, clientOrigin }: ResponseView,
  headers: HeaderList,
  digest: Digest,
): HeaderList {
  const { route } = request;
  if (status !== 201 || (route.kind !== 'upload' && route.kind !== 'upload-start')) return headers;
  if (headerValue(headers, 'Location')?.startsWith(`${clientOrigin}/`) === true) return headers;
  const blob = formatRoute({ kind: 'blob', repository: route.repository, digest });
  return withHeader(headers, 'Location', `${clientOrigin}${blob}`);
}
