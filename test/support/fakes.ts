import type { AuditEvent } from '../../src/domain/audit.ts';
import { algorithmOf, type Digest, digestOf } from '../../src/domain/digest.ts';
import type { Referrer } from '../../src/domain/referrers.ts';
import { type Pin, type Sighting, sight } from '../../src/domain/tag-history.ts';
import { singleFlight } from '../../src/lib/single-flight.ts';
import { createVersions } from '../../src/lib/versions.ts';
import { createChallenges } from '../../src/pipeline/challenges.ts';
import { createHeadTrust } from '../../src/pipeline/head-trust.ts';
import { createMemories } from '../../src/pipeline/memories.ts';
import type {
  CanonicalManifest,
  FinishedRequest,
  Grants,
  ManifestStore,
  Services,
  Telemetry,
} from '../../src/pipeline/ports.ts';
import type { DerivedManifest, Facts, Pins, TagHistory, TagRecord } from '../../src/pipeline/ports-facts.ts';
import { createDescriptors } from '../../src/store/descriptors.ts';
import { createDefects } from '../../src/upstream/defects.ts';
import { type FakeBlobStore, fakeBlobStore } from './fake-blobs.ts';

/** Everything that the use cases work with, in memory and open to tests. */
export interface FakeServices extends Services {
  readonly blobs: FakeBlobStore;
  readonly manifests: FakeManifestStore;
  readonly telemetry: FakeTelemetry;
  readonly facts: FakeFacts;
  readonly grants: Grants & { clear(): void };
  readonly pins: Pins & { put(upstream: string, repository: string, tag: string, digest: Digest): void };
  /** What `now` says, in milliseconds. */
  readonly clock: { now: number };
}

export interface FakeManifestStore extends ManifestStore {
  readonly stored: ReadonlyMap<Digest, CanonicalManifest>;
  /** Set: nothing can be stored any more. */
  full: boolean;
  /** As eviction does. */
  lose(digest: Digest): void;
}

export interface FakeTelemetry extends Telemetry {
  readonly requests: readonly FinishedRequest[];
  readonly warnings: readonly string[];
  readonly audited: readonly AuditEvent[];
}

export interface FakeFacts extends Facts {
  /** Set: derived manifests and referrers cannot be made durable. */
  readOnly: boolean;
  readonly derivedManifests: readonly DerivedManifest[];
  /** When each tag was last pulled, by `upstream/repository:tag`. */
  readonly pulls: ReadonlyMap<string, number>;
}

/** Makes services with nothing in them. */
export function fakeServices(): FakeServices {
  const clock = { now: 1_700_000_000_000 };
  return {
    blobs: fakeBlobStore(),
    manifests: fakeManifestStore(),
    facts: fakeFacts(),
    tagHistory: fakeTagHistory(),
    pins: fakePins(),
    uses: { used: () => undefined },
    grants: fakeGrants(),
    defects: createDefects(
      () => clock.now,
      () => undefined,
    ),
    descriptors: createDescriptors(),
    heads: createHeadTrust(() => clock.now),
    challenges: createChallenges(() => clock.now),
    telemetry: fakeTelemetry(),
    questions: { access: singleFlight(), signatures: singleFlight() },
    changes: createVersions(),
    ...createMemories(() => clock.now),
    clock,
    now: () => clock.now,
    locationKey: new Uint8Array(32).fill(7),
  };
}

/** One object for each manifest, and the header fields that came first, as the store has it. */
function fakeManifestStore(): FakeManifestStore {
  const stored = new Map<Digest, CanonicalManifest>();
  return {
    stored,
    full: false,
    lose: (digest) => void stored.delete(digest),
    get: async (digest) => stored.get(digest),
    async put(manifest) {
      if (this.full) return false;
      if (digestOf(manifest.bytes, algorithmOf(manifest.digest)) !== manifest.digest)
        throw new Error('the bytes do not have their digest');
      if (!stored.has(manifest.digest)) stored.set(manifest.digest, manifest);
      return true;
    },
  };
}

function fakeFacts(): FakeFacts {
  const tags = new Map<string, TagRecord>();
  const links = new Map<string, 'open' | 'private'>();
  const derived = new Map<string, DerivedManifest>();
  const signed = new Map<string, boolean>();
  const referrers = new Map<string, Referrer>();
  const pulls = new Map<string, number>();
  const demands = new Map<string, readonly string[]>();
  const key = (...parts: readonly string[]) => JSON.stringify(parts);
  const dropWhere = (map: Map<string, unknown>, matches: (parts: string[]) => boolean) => {
    for (const name of map.keys()) if (matches(JSON.parse(name))) map.delete(name);
  };
  return {
    readOnly: false,
    get derivedManifests() {
      return [...derived.values()];
    },
    demands: (upstream) => demands.get(upstream),
    putDemands: (upstream, challenges) => void demands.set(upstream, challenges),
    tag: (...names) => tags.get(key(...names)),
    putTag: (upstream, repository, tag, view, record) => void tags.set(key(upstream, repository, tag, view), record),
    dropTags: (upstream, repository, tag) =>
      dropWhere(tags, ([u, r, t]) => u === upstream && r === repository && (tag === undefined || t === tag)),
    pulls,
    putPull: (upstream, repository, tag, at) => void pulls.set(`${upstream}/${repository}:${tag}`, at),
    link: (...names) => links.get(key(...names)),
    linkedIn: (upstream, kind, digest) =>
      [...links.keys()].flatMap((name) => {
        const [u, repository, k, d] = JSON.parse(name);
        return u === upstream && k === kind && d === digest ? [repository] : [];
      }),
    putLink: (upstream, repository, kind, digest, access) =>
      void links.set(key(upstream, repository, kind, digest), access),
    dropLink: (...names) => void links.delete(key(...names)),
    derived: (...names) => derived.get(key(...names)),
    derivedFrom: (u, r, original, kind) =>
      [...derived].find(([name, one]) => {
        const [upstream, repository] = JSON.parse(name);
        return upstream === u && repository === r && one.original === original && one.kind === kind;
      })?.[1],
    keptConfig(u, r, digest) {
      const owner = [...derived].find(([name, { config }]) => {
        const [upstream, repository] = JSON.parse(name);
        return upstream === u && repository === r && config?.digest === digest;
      })?.[1];
      return owner?.config && { original: owner.original, bytes: owner.config.bytes };
    },
    putDerived(upstream, repository, manifest) {
      if (this.readOnly) throw new Error('the disk is full');
      derived.set(key(upstream, repository, manifest.digest), manifest);
    },
    dropDerived(upstream, repository, original) {
      dropWhere(derived, ([u, r, digest]) => {
        return u === upstream && r === repository && derived.get(key(u, r, digest ?? ''))?.original === original;
      });
    },
    signed: (...names) => signed.get(key(...names)),
    putSigned: (upstream, repository, original, value) => void signed.set(key(upstream, repository, original), value),
    referrers: (upstream, repository, subject) =>
      [...referrers]
        .filter(([name, referrer]) => {
          const [u, r] = JSON.parse(name);
          return u === upstream && r === repository && referrer.subject === subject;
        })
        .map(([, { descriptor }]) => descriptor),
    putReferrer(upstream, repository, referrer) {
      if (this.readOnly) throw new Error('the disk is full');
      referrers.set(key(upstream, repository, referrer.descriptor.digest), referrer);
    },
    dropReferrer: (...names) => void referrers.delete(key(...names)),
  };
}

function fakeTagHistory(): TagHistory {
  const tags = new Map<string, readonly Sighting[]>();
  const of = (...names: readonly string[]) => tags.get(names.join(' ')) ?? [];
  return {
    of,
    note(upstream, repository, tag, seen) {
      const history = of(upstream, repository, tag);
      const noted = sight(history, seen);
      if (noted === undefined) return;
      const others = history.filter(({ view, digest }) => view !== noted.view || digest !== noted.digest);
      tags.set([upstream, repository, tag].join(' '), [...others, noted]);
    },
  };
}

function fakePins(): FakeServices['pins'] {
  const pins = new Map<string, Pin>();
  return {
    of: (...names) => pins.get(names.join(' ')),
    put: (upstream, repository, tag, digest) =>
      void pins.set([upstream, repository, tag].join(' '), { digest, pinnedAt: 0 }),
  };
}

function fakeGrants(): FakeServices['grants'] {
  const grants = new Set<string>();
  return {
    has: (...names) => grants.has(JSON.stringify(names)),
    add: (...names) => void grants.add(JSON.stringify(names)),
    clear: () => grants.clear(),
  };
}

function fakeTelemetry(): FakeTelemetry {
  const requests: FinishedRequest[] = [];
  const warnings: string[] = [];
  const audited: AuditEvent[] = [];
  return {
    requests,
    warnings,
    requestFinished: (request) => void requests.push(request),
    warn: (message) => void warnings.push(message),
    audited,
    audit: (event) => void audited.push(event),
  };
}
