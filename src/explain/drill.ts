import type { Config, EndpointConfig } from '../config/config.ts';
import { compileContentPolicy, judgeCoolDown } from '../domain/content-policy.ts';
import type { Digest } from '../domain/digest.ts';
import { parseRepositoryName, parseTag } from '../domain/reference.ts';
import { type Completeness, completenessOf } from '../store/completeness.ts';
import type { HeldTag, Holdings, PulledTag } from '../store/holdings.ts';

/** A tag that was pulled, and what would become of a pull if its registry were gone. */
export interface DrilledTag {
  /** As clients of the endpoint name it; null where they reach the registry by its name only (`ns`). */
  readonly reference: string | null;
  readonly upstream: string;
  readonly repository: string;
  readonly tag: string;
  /** In ISO 8601, to the hour. */
  readonly pulled: string;
  /** Why a pull would fail; empty when it would not. */
  readonly reasons: readonly string[];
  readonly content: Completeness | null;
}

export interface DrillReport {
  /** In ISO 8601. */
  readonly since: string;
  readonly tags: readonly DrilledTag[];
  readonly failing: number;
}

/** Which of the tags that were pulled since a time could not be pulled again if all registries vanished now. */
export function drill(holdings: Holdings, config: Config, since: number, now: number): DrillReport {
  const tags = holdings.pulledSince(since).flatMap((pulled) => {
    const endpoint = endpointOf(config, pulled.upstream);
    return endpoint === undefined ? [] : [drillTag(holdings, config, endpoint, pulled, now)];
  });
  return {
    since: new Date(since).toISOString(),
    tags,
    failing: tags.filter(({ reasons }) => reasons.length > 0).length,
  };
}

/** An endpoint by which clients reach the upstream, best one whose names need nothing else. */
function endpointOf({ endpoints }: Config, upstream: string): EndpointConfig | undefined {
  const those = endpoints.filter((endpoint) => endpoint.upstream === upstream);
  return those.find(isNameable) ?? those[0];
}

function isNameable({ isDefault, host, prefix }: EndpointConfig): boolean {
  return isDefault || host !== undefined || prefix !== undefined;
}

function drillTag(
  holdings: Holdings,
  config: Config,
  endpoint: EndpointConfig,
  pulled: PulledTag,
  now: number,
): DrilledTag {
  const { upstream, repository, tag, pulledAt } = pulled;
  const [held] = holdings.tags(upstream, repository, tag);
  const { digest, isPinned } = servedDigest(holdings, endpoint, pulled, held, now);
  const content = digest === undefined ? null : completenessOf(holdings, upstream, repository, digest);
  const reasons = content === null ? ['what the tag means is not known'] : missingIn(content);
  const isStale = !isPinned && held !== undefined && now - held.confirmedAt > endpoint.cache.staleFor;
  const isPrivate = digest !== undefined && holdings.access(upstream, repository, 'manifest', digest) === 'private';
  const asksRegistry = config.upstreams[upstream]?.credentials.kind === 'passthrough';
  const { host, prefix } = endpoint;
  const name = `${host === undefined ? '' : `${host}/`}${prefix === undefined ? '' : `${prefix}/`}${repository}:${tag}`;
  return {
    reference: isNameable(endpoint) ? name : null,
    upstream,
    repository,
    tag,
    pulled: new Date(pulledAt).toISOString(),
    reasons: [
      ...reasons,
      ...(isStale ? ['the tag was last confirmed longer ago than cache.staleFor'] : []),
      ...(isPrivate && asksRegistry ? ['it is private, and only the registry can say who may read it'] : []),
    ],
    content,
  };
}

/** What a tag is pinned to, else what stands in for it while it cools down, else what it was last known to mean. */
function servedDigest(
  holdings: Holdings,
  { content }: EndpointConfig,
  { upstream, repository, tag }: PulledTag,
  held: HeldTag | undefined,
  now: number,
): { readonly digest?: Digest; readonly isPinned: boolean } {
  const policy = compileContentPolicy(content);
  const [name, parsed] = [parseRepositoryName(repository), parseTag(tag)];
  const isNamed = policy !== undefined && name !== undefined && parsed !== undefined;
  const pinned = holdings.pinOf(upstream, repository, tag) ?? (isNamed ? policy.pinOf(name, parsed) : undefined);
  if (pinned !== undefined) return { digest: pinned, isPinned: true };
  if (held === undefined) return { isPinned: false };
  const rule = isNamed ? policy.coolDownOf(name, parsed) : undefined;
  const history = rule === undefined ? [] : holdings.history(upstream, repository, tag);
  const verdict = rule && judgeCoolDown(history, held.view, held.digest, now, rule);
  return { digest: verdict?.kind === 'hold' ? verdict.digest : held.digest, isPinned: false };
}

function missingIn({ missing, images, complete }: Completeness): readonly string[] {
  const parts = [
    ...missing.map(({ part, why }) => `the ${part} is ${why}`),
    ...images.flatMap((image) =>
      image.missing.map(({ part, why }) => `${image.platform === null ? '' : `${image.platform}: `}${part} is ${why}`),
    ),
  ];
  return parts.length === 0 && !complete ? ['no image of the index was pulled'] : parts;
}
