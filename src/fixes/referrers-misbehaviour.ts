import { RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerValue, withHeader, withoutHeaders } from '../domain/headers.ts';
import type { ListDocument } from '../domain/list.ts';
import { OCI_INDEX } from '../domain/media-type.ts';
import { queryText } from '../domain/query.ts';
import type { Fix, ListChange, ListView } from './fix.ts';

const APPLIED = 'OCI-Filters-Applied';
/** By these statuses registries without the API answer; clients look only for the 404 of the specification. */
const NO_API: ReadonlySet<number> = new Set([400, 405, 501]);
/** A framework's word for a route that it does not have, as opposed to a registry that failed. */
const NO_ROUTE = /\bno (?:such )?route|unknown route|not found|not implemented|unsupported/i;

/**
 * Clients decode what comes with 200, and fall back to the tag scheme only at 404 (distribution-spec, "Unavailable
 * Referrers API"). Registries without the API redirect to a login page, or answer with other statuses.
 */
export const referrersMisbehaviour: Fix = {
  id: 'referrers-misbehaviour',
  title: 'Referrers come as an OCI index, or as the 404 that makes clients look for the tag',
  symptom: "`failed to decode response: invalid character '<'` from oras; signatures that nobody finds",
  defaultMode: 'on',
  digest: 'unchanged',
  options: {
    fallbackTag: {
      values: ['merge', 'leave'],
      default: 'merge',
      description:
        'Whether a list of the registry gets what only the tag `<algorithm>-<hex>` lists, which clients kept before it had lists.',
    },
    filter: {
      values: ['no', 'yes'],
      default: 'no',
      description:
        'Whether manifix filters by `artifactType` where the registry does not. Clients filter by themselves.',
    },
  },
  list: (view, { filter }) => {
    if (view.kind !== 'referrers') return undefined;
    const { document } = view;
    if (document !== undefined) {
      const items = itemsOfIndex(document);
      if (items !== undefined) return repaired(view, document, items, filter === 'yes');
    }
    return hasNoApi(view) ? missingApi(view) : undefined;
  },
};

/** The descriptors, none where null or nothing stands for them; undefined when the document is no index. */
function itemsOfIndex({ manifests, mediaType }: ListDocument): readonly unknown[] | undefined {
  if (Array.isArray(manifests)) return manifests;
  return manifests === null || (manifests === undefined && mediaType === OCI_INDEX) ? [] : undefined;
}

function hasNoApi({ status, text }: ListView): boolean {
  return status === 200 || NO_API.has(status) || (status === 500 && text !== undefined && NO_ROUTE.test(text));
}

function missingApi({ status, headers }: ListView): ListChange {
  const came = status === 200 ? (headerValue(headers, 'Content-Type') ?? 'an untyped document') : `status ${status}`;
  const refuse = new RegistryError('UNSUPPORTED', {
    status: 404,
    message: 'the registry has no referrers API',
    detail: { upstreamStatus: status },
    explanation: `Asked for referrers, the registry answered with ${came} instead of an image index. Clients find referrers by the tag <algorithm>-<hex> of the digest instead.`,
    fix: 'referrers-misbehaviour',
  });
  return { note: `answered 404 where the registry answered with ${came}`, refuse };
}

function repaired(
  { headers, sent }: ListView,
  document: ListDocument,
  items: readonly unknown[],
  filters: boolean,
): ListChange | undefined {
  const wanted = queryText(sent.query, 'artifactType') || undefined;
  const matching = wanted === undefined ? items : items.filter((item) => hasArtifactType(item, wanted));
  const listed = filters ? matching : items;
  const isWhole = isComplete(document) && listed.length === items.length;
  const isFiltered = wanted !== undefined && listed.length === matching.length;
  const claiming = withTrueClaim(headers, isFiltered, filters);
  const isTyped = headerValue(claiming, 'Content-Type') === OCI_INDEX;
  const typed = isTyped ? claiming : withHeader(claiming, 'Content-Type', OCI_INDEX);
  if (isWhole && typed === headers) return undefined;
  return {
    note: 'made the referrers an OCI index',
    headers: typed,
    ...(isWhole ? {} : { document: { ...document, schemaVersion: 2, mediaType: OCI_INDEX, manifests: listed } }),
  };
}

function isComplete({ schemaVersion, mediaType, manifests }: ListDocument): boolean {
  return schemaVersion === 2 && mediaType === OCI_INDEX && Array.isArray(manifests);
}

/** A filter that is said to be applied and was not makes clients take everything for what they asked for. */
function withTrueClaim(headers: HeaderList, isFiltered: boolean, filters: boolean): HeaderList {
  const claimed = headerValue(headers, APPLIED) !== undefined;
  if (claimed && !isFiltered) return withoutHeaders(headers, APPLIED);
  return !claimed && isFiltered && filters ? [...headers, [APPLIED, 'artifactType']] : headers;
}

function hasArtifactType(item: unknown, wanted: string): boolean {
  return typeof item === 'object' && item !== null && 'artifactType' in item && item.artifactType === wanted;
}
