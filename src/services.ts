import { randomBytes } from 'node:crypto';
import { singleFlight } from './lib/single-flight.ts';
import { createVersions } from './lib/versions.ts';
import { createChallenges } from './pipeline/challenges.ts';
import { createHeadTrust } from './pipeline/head-trust.ts';
import { createMemories } from './pipeline/memories.ts';
import type { Services, Telemetry } from './pipeline/ports.ts';
import { createDescriptors } from './store/descriptors.ts';
import { createGrants } from './store/grants.ts';
import type { Store } from './store/open-store.ts';
import type { DefectMemory } from './upstream/defects.ts';

/** What the use cases work with; it outlives a reload. */
export interface LastingServices {
  readonly services: Services;
  /** The names of upstreams may mean other registries from now on. */
  forgetRegistries(): void;
}

/** Joins what is stored to what is only remembered, which is nothing yet. */
export function createServices(store: Store, defects: DefectMemory, telemetry: Telemetry): LastingServices {
  const grants = createGrants();
  const memories = createMemories();
  const services: Services = {
    blobs: store.blobs,
    manifests: store.manifests,
    facts: store.facts,
    tagHistory: store.tagHistory,
    pins: store.pins,
    uses: store.quotas,
    grants,
    defects,
    descriptors: createDescriptors(),
    heads: createHeadTrust(Date.now),
    challenges: createChallenges(Date.now, store.facts),
    telemetry,
    questions: { access: singleFlight(), signatures: singleFlight() },
    changes: createVersions(),
    ...memories,
    now: Date.now,
    locationKey: randomBytes(32),
  };
  return {
    services,
    forgetRegistries() {
      grants.clear();
      memories.clear();
      defects.clear();
    },
  };
}
