import { scanJson } from './json-scan.ts';
import type { RouteKind } from './route.ts';

/** The lists of distribution-spec: "Listing Tags", "Listing Referrers", and the catalogue of docker-registry. */
export type ListKind = Extract<RouteKind, 'tags' | 'catalog' | 'referrers'>;

/** A list's JSON object as it was parsed; its members are unchecked. */
export type ListDocument = Readonly<Record<string, unknown>>;

/** The member that holds the items. */
export const LIST_ITEMS = { tags: 'tags', catalog: 'repositories', referrers: 'manifests' } as const satisfies Record<
  ListKind,
  string
>;

/**
 * The document of a list; undefined when the bytes are no JSON object. Of repeated members the last counts, as for every
 * client: a list has no digest that fixes its bytes.
 */
export function parseList(bytes: Uint8Array): ListDocument | undefined {
  const document = scanJson(bytes);
  if ('defect' in document || document.kind !== 'object') return undefined;
  return JSON.parse(document.text) as ListDocument;
}

/** The items of a list; undefined when there is no array of them. */
export function listItems(kind: ListKind, document: ListDocument): readonly unknown[] | undefined {
  const items = document[LIST_ITEMS[kind]];
  return Array.isArray(items) ? items : undefined;
}
