import { parseDigest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import { parseReference, parseRepositoryName, type RepositoryName } from '../domain/reference.ts';
import type { Route } from '../domain/route.ts';

export interface Target {
  readonly route: Route;
  /** The raw query without its `?`. */
  readonly query: string;
  /** Whether the path was written in another way than registries know it. */
  readonly respelled?: boolean;
}

/** Far above a name of 255 and a digest of 135 characters, because upload ids are opaque and may be long. */
const MAX_PATH = 16_384;

// RFC 3986 "pchar" and "/": everything else in a path is an attack or a broken client.
const PATH = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/;
const QUERY = /^[\x21-\x7e]*$/;
// An empty or dot segment, and a control character, dot, slash, backslash or percent sign behind an encoding: every server
// reads them differently.
const DECEPTIVE = /\/\/|\/\.{1,2}(?:\/|$)|%(?:[01][0-9a-f]|25|2[ef]|5c|7f)/i;

// The two that registries know with a slash at the end.
const ENDS_IN_SLASH = /(?:^\/v2|\/blobs\/uploads)\/$/;

/** RFC 9112, section 3.2.2: servers have to understand the absolute form, too. The host in it is also in Host. */
export function originForm(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '');
  return path === '' ? '/' : path;
}

/**
 * Parses a raw request target (origin form, RFC 9112 section 3.2.1) into what it is about, or throws a RegistryError.
 * The path is decoded at most once and every name, tag and digest is checked against the grammar of the
 * distribution-spec. `new URL` is not used: it folds `..` and hides a second `?`.
 * @param spelling `asMeant` understands slashes that are encoded, doubled or one too many at the end
 */
export function parseTarget(target: string, spelling: 'asMeant' | 'asWritten' = 'asMeant'): Target {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark + 1);
  if (path.length > MAX_PATH) throw new RegistryError('NAME_INVALID', { status: 414, message: 'the path is too long' });
  const meant = spelling === 'asMeant' && QUERY.test(query) ? meantRoute(path) : undefined;
  if (meant !== undefined) return { route: meant, query, respelled: true };
  if (!isPlain(path) || !QUERY.test(query)) {
    throw new RegistryError('NAME_INVALID', {
      explanation:
        'The path holds characters or segments (such as "..", an encoded slash or a control character) that no registry name has. ' +
        'Send the repository name, the tag and the digest as they are.',
      fix: 'path-traversal',
    });
  }
  return { route: parsePath(path), query };
}

function isPlain(path: string): boolean {
  return PATH.test(path) && !DECEPTIVE.test(path);
}

/**
 * What a path is about once `%2F` is a slash, `//` one and a slash at the end none; undefined when that changes nothing, or
 * leads to no route of registries. Upload ids are the registry's own, and stay as they are.
 */
function meantRoute(path: string): Route | undefined {
  const single = path.replaceAll(/\/{2,}/g, '/');
  const decoded = single.replaceAll(/%2f/gi, '/');
  const respelled = ENDS_IN_SLASH.test(decoded) ? decoded : decoded.replace(/\/$/, '');
  if (respelled === path || !isPlain(respelled) || !respelled.startsWith('/v2/')) return undefined;
  const route = parsePath(respelled);
  return route.kind === 'other' || route.kind === 'upload' ? undefined : route;
}

/** What a valid path is about. @throws RegistryError */
export function parsePath(path: string): Route {
  if (path === '/v2' || path === '/v2/') return { kind: 'base' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  if (!path.startsWith('/v2/')) {
    throw new RegistryError('NAME_UNKNOWN', {
      message: 'not found',
      explanation: 'Registry requests start with /v2/. Health and metrics are served by the admin listener.',
    });
  }
  return parseRepositoryPath(path) ?? { kind: 'other', path };
}

function parseRepositoryPath(path: string): Route | undefined {
  const upload = /^\/v2\/(.+)\/blobs\/uploads(?:\/([^/]*))?$/.exec(path);
  if (upload !== null) return parseUpload(upload[1] ?? '', upload[2]);
  const tags = /^\/v2\/(.+)\/tags\/list$/.exec(path);
  if (tags !== null) return { kind: 'tags', repository: repositoryOf(tags[1] ?? '') };
  const content = /^\/v2\/(.+)\/(manifests|blobs|referrers)\/([^/]+)$/.exec(path);
  if (content === null) return undefined;
  const repository = repositoryOf(content[1] ?? '');
  const last = decodeOnce(content[3] ?? '');
  if (content[2] === 'manifests') return { kind: 'manifest', repository, reference: referenceOf(last) };
  const digest = parseDigest(last);
  if (digest === undefined) throw invalidDigest(last);
  return content[2] === 'blobs' ? { kind: 'blob', repository, digest } : { kind: 'referrers', repository, digest };
}

/** Clients may send `sha256%3A...`; what does not decode stays and fails the grammar. */
function decodeOnce(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** `id` is empty behind a lone slash and absent without one. */
function parseUpload(name: string, id: string | undefined): Route {
  const repository = repositoryOf(name);
  return id ? { kind: 'upload', repository, id } : { kind: 'upload-start', repository, trailingSlash: id === '' };
}

function repositoryOf(text: string): RepositoryName {
  const repository = parseRepositoryName(text);
  if (repository !== undefined) return repository;
  throw new RegistryError('NAME_INVALID', {
    detail: { name: text },
    explanation:
      `"${text}" is not a repository name: lower-case letters, digits and single separators (. _ __ -) in components ` +
      'joined by slashes, at most 255 characters.',
  });
}

function referenceOf(text: string): Extract<Route, { kind: 'manifest' }>['reference'] {
  const reference = parseReference(text);
  if (reference !== undefined) return reference;
  if (text.includes(':')) throw invalidDigest(text);
  throw new RegistryError('MANIFEST_UNKNOWN', {
    detail: { tag: text },
    explanation: `"${text}" is not a tag: letters, digits, ".", "_" and "-", at most 128 characters, not starting with "." or "-".`,
  });
}

function invalidDigest(text: string): RegistryError {
  return new RegistryError('DIGEST_INVALID', {
    detail: { digest: text },
    explanation: `"${text}" is not a digest: an algorithm (sha256, sha384 or sha512), a colon and its lower-case hexadecimal value.`,
  });
}
