import { mediaTypes } from '../images.ts';
import type { DoubleContent } from './content.ts';
import { readDocument } from './manifests.ts';
import { answer, type DoubleRequest, type DoubleResponse, jsonAnswer } from './message.ts';

/** Lists the tags of a repository, by pages when `n` asks for them. */
export function tagsEndpoint(content: DoubleContent, request: DoubleRequest, repository: string): DoubleResponse {
  const { items, headers } = page(request, content.tags(repository));
  return jsonAnswer(200, { name: repository, tags: items }, headers);
}

/** Lists the repositories, by pages when `n` asks for them. */
export function catalogEndpoint(content: DoubleContent, request: DoubleRequest): DoubleResponse {
  const { items, headers } = page(request, content.repositories());
  return jsonAnswer(200, { repositories: items }, headers);
}

/** Lists the manifests whose subject is the digest, as an OCI index. */
export function referrersEndpoint(
  content: DoubleContent,
  { query }: DoubleRequest,
  repository: string,
  subject: string,
): DoubleResponse {
  const filter = query.get('artifactType');
  const manifests = [...content.manifests(repository)]
    .flatMap(([digest, { bytes, mediaType }]) => {
      const document = readDocument(bytes);
      if (document?.subject?.digest !== subject) return [];
      const artifactType = document.artifactType ?? document.config?.mediaType;
      return [{ mediaType, digest, size: bytes.length, artifactType, annotations: document.annotations }];
    })
    .filter(({ artifactType }) => filter === null || artifactType === filter);
  const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  const applied = filter === null ? [] : [['OCI-Filters-Applied', 'artifactType'] as const];
  return answer(200, [['Content-Type', mediaTypes.ociIndex], ...applied], body);
}

function page({ path, query }: DoubleRequest, names: readonly string[]) {
  const last = query.get('last') ?? '';
  const limit = Number(query.get('n') ?? Number.POSITIVE_INFINITY);
  const rest = names.filter((name) => name > last).sort();
  const items = rest.slice(0, limit);
  const following = new URLSearchParams({ n: String(limit), last: items.at(-1) ?? '' });
  const headers =
    items.length < rest.length && limit > 0 ? [['Link', `<${path}?${following}>; rel="next"`] as const] : [];
  return { items, headers };
}
