import { type Digest, parseDigest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';
import { headerValue, withHeader } from '../domain/headers.ts';
import { listItems } from '../domain/list.ts';
import { inspectManifest } from '../domain/manifest.ts';
import { isIndexType, MANIFEST_TYPES, parseMediaType } from '../domain/media-type.ts';
import { formatReference, parseTag, type Reference, type RepositoryName, type Tag } from '../domain/reference.ts';
import { formatRoute } from '../domain/route-path.ts';
import { nextPageQuery } from '../fixes/link.ts';
import { readBody } from '../lib/read-body.ts';
import { readHeaders } from './access.ts';
import type { Exchange } from './exchange.ts';
import { fetchList } from './fetch-list.ts';
import { MAX_MANIFEST } from './fetch-manifest.ts';
import type { UpstreamResponse } from './ports.ts';

const FIX = 'delete-by-tag';
/** Each further tag is a question to the registry. */
const MAX_TAGS = 1_000;
const MAX_PAGES = 100;
const QUESTIONS_AT_ONCE = 8;

/**
 * The digest by which the registry may delete what a tag names, because no other tag has it and no tagged index names it.
 * Rejects with a RegistryError when something else needs the manifest, or when that cannot be found out.
 */
export async function digestOfLoneTag(exchange: Exchange, repository: RepositoryName, tag: Tag): Promise<Digest> {
  const digest = await digestOfTag(exchange, repository, tag);
  if (digest === undefined) throw new RegistryError('MANIFEST_UNKNOWN', { detail: { tag } });
  const others = (await tagsOf(exchange, repository)).filter((other) => other !== tag);
  for (let at = 0; at < others.length; at += QUESTIONS_AT_ONCE) {
    const group = others.slice(at, at + QUESTIONS_AT_ONCE);
    const needed = await Promise.all(group.map((other) => needs(exchange, repository, other, digest)));
    const inTheWay = group.filter((_, position) => needed[position]);
    if (inTheWay.length > 0) throw stillNeeded(tag, digest, inTheWay);
  }
  // Somebody may have pushed the tag meanwhile.
  if ((await digestOfTag(exchange, repository, tag)) !== digest) throw unclear('the tag was pushed at the same time');
  return digest;
}

async function digestOfTag(exchange: Exchange, repository: RepositoryName, tag: Tag): Promise<Digest | undefined> {
  const answer = await ask(exchange, 'HEAD', repository, { kind: 'tag', tag });
  answer.body.destroy();
  if (answer.status === 404) return undefined;
  const digest = parseDigest(headerValue(answer.headers, 'Docker-Content-Digest') ?? '');
  if (answer.status !== 200 || digest === undefined)
    throw unclear(`HEAD of the tag ${tag} was answered ${answer.status}`);
  return digest;
}

async function tagsOf(exchange: Exchange, repository: RepositoryName): Promise<readonly Tag[]> {
  const tags: Tag[] = [];
  let query: string | undefined = '';
  for (let page = 0; query !== undefined; page += 1) {
    const route = { kind: 'tags', repository } as const;
    const fetched = await fetchList(exchange, route, { ...exchange.request, route, query });
    const names =
      fetched.kind === 'list' && fetched.document !== undefined ? listItems('tags', fetched.document) : undefined;
    if (fetched.kind !== 'list' || names === undefined) throw unclear('the list of tags could not be read');
    tags.push(...names.flatMap((name) => (typeof name === 'string' ? (parseTag(name) ?? []) : [])));
    if (tags.length > MAX_TAGS || page > MAX_PAGES) throw unclear(`the repository has more than ${MAX_TAGS} tags`);
    query = nextPageQuery(fetched.headers);
  }
  return tags;
}

/** Whether a tag has the digest, or is an index that names it. */
async function needs(exchange: Exchange, repository: RepositoryName, tag: Tag, digest: Digest): Promise<boolean> {
  const answer = await ask(exchange, 'GET', repository, { kind: 'tag', tag });
  if (answer.status === 404) {
    answer.body.destroy();
    return false;
  }
  const isIndex = isIndexType(parseMediaType(headerValue(answer.headers, 'Content-Type')));
  const announced = parseDigest(headerValue(answer.headers, 'Docker-Content-Digest') ?? '');
  if (answer.status !== 200 || announced === undefined) {
    answer.body.destroy();
    throw unclear(`GET of the tag ${tag} was answered ${answer.status}`);
  }
  const bytes = await readBody(answer.body, MAX_MANIFEST);
  if (bytes === 'too-large') throw unclear(`the manifest of the tag ${tag} is too large`);
  const named = isIndex ? inspectManifest(bytes).descriptors : [];
  return announced === digest || named.some((descriptor) => descriptor.digest === digest);
}

function ask(
  exchange: Exchange,
  method: 'GET' | 'HEAD',
  repository: RepositoryName,
  reference: Reference,
): Promise<UpstreamResponse> {
  return exchange.endpoint.upstream.request({
    method,
    path: formatRoute({ kind: 'manifest', repository, reference }),
    headers: withHeader(readHeaders(exchange.request.headers), 'Accept', MANIFEST_TYPES.join(', ')),
    signal: exchange.signal,
  });
}

function stillNeeded(tag: Tag, digest: Digest, others: readonly Tag[]): RegistryError {
  return new RegistryError('UNSUPPORTED', {
    message: 'the manifest of this tag is still needed',
    detail: { digest, tags: others },
    explanation: `This registry deletes manifests by digest only, with all their tags, and ${others.join(', ')} would lose what ${formatReference({ kind: 'tag', tag })} names (${digest}). Push something else to the tag, or delete the others first.`,
    fix: FIX,
  });
}

function unclear(why: string): RegistryError {
  return new RegistryError('UNSUPPORTED', {
    message: 'this registry deletes manifests by digest only',
    explanation: `Whether another tag has the same manifest could not be found out: ${why}. Nothing was deleted.`,
    fix: FIX,
  });
}
