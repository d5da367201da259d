import type { TagOperations, TagReport, ToldOfTag } from './admin/tag-routes.ts';
import type { Config } from './config/config.ts';
import type { AuditEvent } from './domain/audit.ts';
import { type Digest, parseDigest } from './domain/digest.ts';
import { RegistryError } from './domain/errors.ts';
import { parseTag, type Tag } from './domain/reference.ts';
import { digestBefore, leadingSightings } from './domain/tag-history.ts';
import { locate, type Place, placeOf, WrongQuestion } from './explain/place.ts';
import type { Edge } from './http/handle.ts';
import type { PinRecords, TagHistory } from './store/tag-history.ts';

export type { TagOperations, TagReport, ToldOfTag } from './admin/tag-routes.ts';

interface TagKeeper {
  readonly config: () => Config;
  /** Where references lead. */
  readonly edge: () => Pick<Edge, 'endpoints' | 'cursors'>;
  readonly history: TagHistory;
  readonly pins: PinRecords;
  readonly now: () => number;
  readonly audit: (event: AuditEvent) => void;
  /** Is called when tags are served with something else than a moment ago. */
  readonly changed?: () => void;
}

/** A tag as an operator named it, and where it is. */
type NamedTag = Place & { readonly name: string; readonly tag: Tag };

const MAX_NOTE = 500;

/** Tags as operators look at them and pin them, on a running manifix or on its directory. */
export function tagOperations(keeper: TagKeeper): TagOperations {
  const { history, pins } = keeper;

  function set(named: NamedTag, event: 'pin' | 'rollback', digest: Digest, client: string, note?: string): ToldOfTag {
    const { upstream, repository, tag } = named;
    pins.put(upstream, repository, tag, { digest, pinnedAt: keeper.now(), ...(note === undefined ? {} : { note }) });
    tell(keeper, named, event, client, digest, note);
    return { told: report(keeper, named) };
  }

  return {
    history: (reference) => on(keeper, reference, (named) => ({ told: report(keeper, named) })),
    pin: (reference, written, note, client) =>
      on(keeper, reference, (named) => {
        if (note !== undefined && note.length > MAX_NOTE) return { wrong: `a note has at most ${MAX_NOTE} signs` };
        const digest = written === 'current' ? currentOf(keeper, named) : parseDigest(written);
        if (digest !== undefined) return set(named, 'pin', digest, client, note);
        return written === 'current' ? neverSeen(named) : { wrong: `"${written}" is no digest` };
      }),
    unpin: (reference, client) =>
      on(keeper, reference, (named) => {
        const { upstream, repository, tag } = named;
        if (!pins.drop(upstream, repository, tag)) return { wrong: notPinned(named) };
        tell(keeper, named, 'unpin', client);
        return { told: report(keeper, named) };
      }),
    rollback: (reference, to, client) =>
      on(keeper, reference, (named) => {
        const { upstream, repository, tag, name } = named;
        const known = history.of(upstream, repository, tag);
        const served = pinOf(keeper, named)?.digest ?? currentOf(keeper, named);
        if (served === undefined) return neverSeen(named);
        const digest = to === undefined ? digestBefore(known, served) : known.find((one) => one.digest === to)?.digest;
        if (digest !== undefined) return set(named, 'rollback', digest, client, `rolled back from ${served}`);
        return to === undefined
          ? { wrong: `nothing is known that ${name} meant before ${served}: manifix tag pin fixes it to any digest` }
          : { wrong: `${to} is not in the history of ${name}: manifix tag pin fixes it to any digest` };
      }),
  };
}

/** Finds the tag that a reference names, and does something with it. */
function on(keeper: TagKeeper, reference: string, action: (named: NamedTag) => ToldOfTag): ToldOfTag {
  try {
    const { host, target } = locate(reference, keeper.config());
    const place = placeOf(keeper.edge(), host, target);
    if (place === undefined) return { wrong: `no endpoint serves "${reference}"` };
    const tag = parseTag(place.reference);
    if (tag === undefined) return { wrong: `"${reference}" names a digest, which never means anything else` };
    return action({ ...place, tag, name: reference });
  } catch (error) {
    if (error instanceof WrongQuestion || error instanceof RegistryError) return { wrong: error.message };
    throw error;
  }
}

function currentOf({ history }: TagKeeper, { upstream, repository, tag }: NamedTag): Digest | undefined {
  return leadingSightings(history.of(upstream, repository, tag))[0]?.digest;
}

function neverSeen({ name }: NamedTag): ToldOfTag {
  return { wrong: `manifix has not seen ${name} yet: pull it once, or name a digest` };
}

function notPinned({ endpoint, repository, tag, name }: NamedTag): string {
  const configured = endpoint.content?.pinOf(repository, tag) !== undefined;
  return configured
    ? `${name} is pinned by the configuration (content.pins of the endpoint ${endpoint.name})`
    : `${name} is not pinned`;
}

function pinOf({ pins }: TagKeeper, { endpoint, upstream, repository, tag }: NamedTag) {
  const set = pins.of(upstream, repository, tag);
  if (set !== undefined) return { ...set, by: 'command' } as const;
  const digest = endpoint.content?.pinOf(repository, tag);
  return digest && ({ digest, by: 'configuration' } as const);
}

function report(keeper: TagKeeper, named: NamedTag): TagReport {
  const { endpoint, upstream, repository, tag, name } = named;
  const pin = pinOf(keeper, named);
  const history = keeper.history.of(upstream, repository, tag);
  return {
    reference: name,
    endpoint: endpoint.name,
    upstream,
    repository,
    tag,
    pin:
      pin === undefined
        ? null
        : {
            digest: pin.digest,
            by: pin.by,
            since: pin.by === 'command' ? isoTime(pin.pinnedAt) : null,
            note: pin.by === 'command' ? (pin.note ?? null) : null,
          },
    history: history.map(({ view, digest, firstSeen, confirmed, by, user }) => ({
      accept: view,
      digest,
      firstSeen: isoTime(firstSeen),
      confirmed: isoTime(confirmed),
      by,
      user: user ?? null,
    })),
  };
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}

/** Has the change noticed at once, and written down. */
function tell(
  { audit, changed }: TagKeeper,
  { upstream, repository, tag }: NamedTag,
  event: 'pin' | 'unpin' | 'rollback',
  client: string,
  digest?: Digest,
  note?: string,
): void {
  changed?.();
  const about = { upstream, repository, reference: tag, digest };
  audit({ event, outcome: 'done', client, ...about, ...(note === undefined ? {} : { detail: { note } }) });
}
