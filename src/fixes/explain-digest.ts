import { algorithmOf, type Digest, digestOf } from '../domain/digest.ts';
import { headerValue } from '../domain/headers.ts';
import { OCTET_STREAM } from '../domain/media-type.ts';
import { type NewlineVariant, undamaged } from '../domain/newlines.ts';
import { queryValue } from '../domain/query.ts';
import { digestParameter, parseDigestValue } from './digest-parameter.ts';
import type { RequestView, ResponseView } from './fix.ts';

const START_OVER = 'The session is over now: open a new one with a POST and send the body again.';

/** Why a digest was refused, with the digest of what arrived where it is known; undefined when there is nothing to say. */
export function explainDigest(view: ResponseView): string | undefined {
  const { route } = view.request;
  switch (route.kind) {
    case 'upload':
    case 'upload-start':
      return explainUpload(view);
    case 'manifest':
      return explainManifest(view.sent);
    default:
      return undefined;
  }
}

function explainUpload(view: ResponseView): string {
  const raw = queryValue(view.sent.query, 'digest');
  // A single POST is sent on as two requests; the view has the first, which carries no digest.
  const asked = raw === undefined ? digestParameter(view.request.query) : parseDigestValue(raw);
  if (asked !== undefined) return explainMismatch(view, asked);
  return raw === undefined
    ? 'The request that finishes an upload arrived without a digest parameter: append &digest=sha256:<hex> to the Location (?digest= when it has no query), and put the URL in quotes, because the shell cuts it at &.'
    : 'The digest parameter is not a digest: it takes sha256: and the 64 lower-case hex digits that sha256sum prints for the file.';
}

function explainMismatch({ request, sent, received }: ResponseView, asked: Digest): string {
  if (received === undefined || received.size === 0) {
    return `What was uploaded does not have the digest ${asked}. ${usualCauses(request)} ${START_OVER}`;
  }
  const arrived = `What arrived has ${received.size} bytes and the digest ${received.digest}`;
  if (received.digest !== asked)
    return `${arrived}, but the request names ${asked}. ${usualCauses(request)} ${START_OVER}`;
  const type = headerValue(sent.headers, 'Content-Type');
  return type === undefined || type === OCTET_STREAM
    ? `${arrived}, as the request says, but the registry got something else: other bytes in the same session, or a body that was altered behind manifix. ${START_OVER}`
    : `${arrived}, as the request says, but it was sent as ${type}, which registries read as a form. Send Content-Type: ${OCTET_STREAM}.`;
}

function usualCauses({ clientHeaders }: RequestView): string {
  const type = headerValue(clientHeaders, 'Content-Type') ?? '';
  if (type.startsWith('multipart/form-data')) {
    return 'It was sent as a multipart form (curl -F), which wraps the file: use curl --data-binary @file.';
  }
  return 'Take the digest of the very file that is sent (sha256sum): the directory names that docker save writes are not digests of layers, a compressed layer has another digest than its tar, and curl -d drops newlines where --data-binary does not.';
}

function explainManifest({ method, route, manifest }: RequestView): string | undefined {
  if (route.kind !== 'manifest') return undefined;
  const { reference } = route;
  if (method === 'DELETE' && reference.kind === 'tag') {
    return 'This registry deletes manifests by digest only, and the request names a tag. A HEAD of the tag answers with the digest (Docker-Content-Digest); deleting that removes every tag of the same manifest.';
  }
  if (reference.kind !== 'digest' || manifest === undefined) return undefined;
  const asked = reference.digest;
  const cause = undamaged(manifest.bytes, asked);
  const arrived = `The manifest that arrived has ${manifest.bytes.length} bytes and the digest ${digestOf(manifest.bytes, algorithmOf(asked))}, but the URL names ${asked}.`;
  return `${arrived} ${cause === undefined ? 'It was changed on the way, or the digest is that of another manifest: never format or re-encode a manifest, and send it with curl --data-binary @file.' : CAUSES[cause.damage]}`;
}

const CAUSES: Readonly<Record<NewlineVariant['damage'], string>> = {
  'lost-newline':
    'With one newline more at its end it would match: $(...) and curl -d drop it. Send the file with curl --data-binary @file.',
  'added-newline':
    'Without the newline at its end it would match: something that writes text files, echo for one, added it.',
  crlf: 'With LF instead of CRLF at the ends of its lines it would match: send the file without conversion.',
  lf: 'With CRLF instead of LF at the ends of its lines it would match: send the file without conversion.',
};
