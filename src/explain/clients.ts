import { parseDigest } from '../domain/digest.ts';
import { parseErrors } from '../domain/errors.ts';
import { type HeaderList, headerValue } from '../domain/headers.ts';
import type { ImageClientName } from '../domain/image-clients.ts';
import { inspectManifest } from '../domain/manifest.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  isManifestType,
  isSchema1Type,
  OCI_INDEX,
  OCI_MANIFEST,
  parseMediaType,
  SCHEMA1,
  SCHEMA1_SIGNED,
} from '../domain/media-type.ts';
import { type Answer, type ClientRequest, sha256 } from './seen.ts';

/** Sends a request and gives what came back. */
export type Ask = (request: ClientRequest) => Promise<Answer>;

/** Resolves a manifest at `target` as the client does: to the error it would show, or to undefined when it is content. */
export type Pull = (ask: Ask, target: string) => Promise<string | undefined>;

/** One line for each type, as containers/image and Docker send them. */
const lines = (types: readonly string[]): HeaderList => types.map((type) => ['Accept', type] as const);
const as = (userAgent: string, accept: HeaderList): HeaderList => [['User-Agent', userAgent], ...accept];

const CONTAINERD = as('containerd/1.7.0', [
  ['Accept', [DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX, '*/*'].join(', ')],
]);
const DOCKERD = as(
  'docker/20.10.24 go/go1.19.8 os/linux arch/amd64',
  lines([DOCKER_LIST, OCI_INDEX, OCI_MANIFEST, SCHEMA1_SIGNED, 'application/json', DOCKER_MANIFEST]),
);
const SKOPEO = as(
  'skopeo/1.9.3',
  lines([OCI_MANIFEST, DOCKER_MANIFEST, SCHEMA1_SIGNED, SCHEMA1, DOCKER_LIST, OCI_INDEX]),
);
const CRANE = as('crane/0.20.2 go-containerregistry/0.20.2', [
  ['Accept', [SCHEMA1, SCHEMA1_SIGNED, DOCKER_MANIFEST, OCI_MANIFEST, DOCKER_LIST, OCI_INDEX].join(',')],
]);
const CURL = as('curl/7.88.1', [['Accept', '*/*']]);

/** What each client sends in which order, and what it makes of the answers: read in the sources of the versions named. */
export const PULLS: Readonly<Record<ImageClientName, Pull>> = {
  async curl(ask, target) {
    return refusal(await ask({ method: 'GET', target, headers: CURL }));
  },

  // The digest of the HEAD is believed, and fetched by digest under the type of the HEAD.
  async containerd(ask, target) {
    const head = await ask({ method: 'HEAD', target, headers: CONTAINERD });
    const first = head.status === 405 ? await ask({ method: 'GET', target, headers: CONTAINERD }) : head;
    if (first.status !== 200)
      return first.status === 404 ? `${target}: not found` : `unexpected status ${first.status}`;
    const named = headerValue(first.headers, 'Docker-Content-Digest');
    if (named === undefined) return undefined;
    if (parseDigest(named) === undefined)
      return `"${named}" in header not a valid digest: invalid checksum digest format`;
    const size = Number(headerValue(first.headers, 'Content-Length') ?? 0);
    if (size === 0) return `unable to fetch descriptor (${named}) which reports content size of zero: invalid argument`;
    const type = parseMediaType(headerValue(first.headers, 'Content-Type'));
    if (type === 'text/plain') return 'no signatures';
    if (!isManifestType(type) && !isSchema1Type(type)) {
      return `could not fetch content descriptor ${named} (${type ?? ''}) from remote: not found`;
    }
    const byDigest = target.replace(/[^/]*$/, named);
    const got = await ask({
      method: 'GET',
      target: byDigest,
      headers: as('containerd/1.7.0', [['Accept', `${type}, */*`]]),
    });
    if (got.status !== 200) return `content at ${byDigest} not found: not found`;
    if (got.body.length !== size) return `failed size validation: ${got.body.length} != ${size}: failed precondition`;
    if (isSchema1Type(type)) return undefined;
    return sha256(got.body) === named ? undefined : `unexpected commit digest ${sha256(got.body)}, expected ${named}`;
  },

  // What HEAD says of the tag, or GET where HEAD says nothing, leads to the digest, which is what is fetched.
  async dockerd(ask, target) {
    const digest = parseDigest(target.slice(target.lastIndexOf('/') + 1)) ?? (await describedByDockerd(ask, target));
    if (typeof digest === 'object') return digest.complaint;
    const got = await ask({ method: 'GET', target: target.replace(/[^/]*$/, digest), headers: DOCKERD });
    if (got.status !== 200) return unreadable(got) ?? refusal(got);
    return unmarshalledByDockerd(got);
  },

  async skopeo(ask, target) {
    const got = await ask({ method: 'GET', target, headers: SKOPEO });
    if (got.status !== 200) return refusal(got);
    const { shape, defect } = inspectManifest(got.body);
    if (shape === 'not-json')
      return `invalid character looking for beginning of value${defect === undefined ? '' : ` (${defect})`}`;
    const type = parseMediaType(headerValue(got.headers, 'Content-Type'));
    if (shape === 'ambiguous') return 'rejecting ambiguous manifest';
    if (isSchema1Type(type)) return shape === 'schema1' ? undefined : 'unsupported schema version 2';
    return isManifestType(type) ? undefined : 'unsupported schema version 2';
  },

  async crane(ask, target) {
    const head = await ask({ method: 'HEAD', target, headers: CRANE });
    if (head.status !== 200)
      return `unexpected status code ${head.status} (HEAD responses have no body, use GET for details)`;
    const missing = ['Content-Type', 'Content-Length', 'Docker-Content-Digest'].find(
      (name) => headerValue(head.headers, name) === undefined,
    );
    if (missing !== undefined) return `response did not include ${missing} header`;
    const got = await ask({ method: 'GET', target, headers: CRANE });
    if (got.status !== 200) return refusal(got);
    const type = headerValue(got.headers, 'Content-Type');
    const isKnown = type === parseMediaType(type) && isManifestType(parseMediaType(type));
    return isKnown ? undefined : `unsupported MediaType: ${type ?? ''}`;
  },
};

/** The digest that a tag means to dockerd, or the error with which it gives up. */
async function describedByDockerd(
  ask: Ask,
  target: string,
): Promise<string | { readonly complaint: string | undefined }> {
  const head = await ask({ method: 'HEAD', target, headers: DOCKERD });
  const isDescribed = head.status < 400 && headerValue(head.headers, 'Docker-Content-Digest') !== undefined;
  const answer = isDescribed ? head : await ask({ method: 'GET', target, headers: DOCKERD });
  if (answer.status !== 200) return { complaint: unreadable(answer) ?? refusal(answer) };
  const digest = headerValue(answer.headers, 'Docker-Content-Digest');
  if (headerValue(answer.headers, 'Content-Type') === undefined)
    return { complaint: 'missing or empty Content-Type header' };
  if (digest === undefined) return sha256(answer.body);
  if (parseDigest(digest) === undefined) return { complaint: 'invalid checksum digest format' };
  const hasLength = headerValue(answer.headers, 'Content-Length') !== undefined;
  return hasLength ? digest : { complaint: 'missing or empty Content-Length header' };
}

/** The daemon takes what has no type that it knows for schema 1, which is signed. */
function unmarshalledByDockerd({ headers, body }: Answer): string | undefined {
  if (isManifestType(parseMediaType(headerValue(headers, 'Content-Type')))) return undefined;
  const { shape } = inspectManifest(body);
  if (shape === 'not-json') return `error unmarshalling content: ${syntaxError(body)}`;
  return shape === 'schema1' ? undefined : 'missing signature key';
}

function refusal({ status, body }: Answer): string | undefined {
  if (status < 400) return undefined;
  const [first] = parseErrors(body) ?? [];
  return first === undefined ? `${status}` : `${status} ${first.message ?? first.code}`;
}

/** Docker reads the body of every error as JSON. */
function unreadable({ status, body }: Answer): string | undefined {
  if (body.length === 0 || parseErrors(body) !== undefined) return undefined;
  return `error parsing HTTP ${status} response body: ${syntaxError(body)}`;
}

function syntaxError(body: Uint8Array): string {
  const [first = ''] = Buffer.from(body).toString();
  return `invalid character '${first}' looking for beginning of value`;
}
