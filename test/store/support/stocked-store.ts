import type { Digest } from '../../../src/domain/digest.ts';
import { digestOf } from '../../../src/domain/digest.ts';
import type { MediaType } from '../../../src/domain/media-type.ts';
import type { RepositoryName, Tag } from '../../../src/domain/reference.ts';
import type { StoreOptions } from '../../../src/store/open-store.ts';
import type { CanonicalManifest, DerivedManifest } from '../../../src/store/types.ts';
import { manifestOf } from '../../contract/manifest-store.contract.ts';
import { type Sample, sample } from './bytes.ts';
import { storeSample } from './damage.ts';
import { openTestStore, type TestStore } from './test-store.ts';

// Names that a parser would have branded.
export const alpine = 'library/alpine' as RepositoryName;
export const busybox = 'library/busybox' as RepositoryName;
const latest = 'latest' as Tag;

export const SIZE = 10_000;

/** A store that knows the upstreams `hub` and `lab`, with two repositories of `hub` that share a blob. */
export interface StockedStore extends TestStore {
  /** Of alpine alone, of alpine and busybox, of busybox alone. */
  readonly blobs: { readonly own: Sample; readonly shared: Sample; readonly other: Sample };
  /** Of alpine and of busybox. */
  readonly manifests: { readonly alpine: CanonicalManifest; readonly busybox: CanonicalManifest };
  /** Derived from alpine's. */
  readonly derived: DerivedManifest;
  /** Which of the three blobs are stored. */
  stored(): Promise<readonly boolean[]>;
}

export async function openStockedStore(options: Partial<StoreOptions> = {}): Promise<StockedStore> {
  const opened = await openTestStore(options);
  const { store } = opened;
  const blobs = { own: sample(SIZE, 'own'), shared: sample(SIZE, 'shared'), other: sample(SIZE, 'other') };
  const manifests = { alpine: manifestOf('{"alpine":1}'), busybox: manifestOf('{"busybox":1}') };
  const bytes = Buffer.from('{"alpine":2}');
  const derived: DerivedManifest = {
    digest: digestOf(bytes),
    original: manifests.alpine.digest,
    bytes,
    mediaType: 'application/vnd.oci.image.index.v1+json' as MediaType,
    kind: 'media-type-added',
  };
  for (const blob of Object.values(blobs)) await storeSample(store, blob);
  for (const manifest of Object.values(manifests)) await store.manifests.put(manifest);
  const link = (repository: RepositoryName, kind: 'blob' | 'manifest', digests: readonly Digest[]) => {
    for (const digest of digests) store.facts.putLink('hub', repository, kind, digest, 'open');
  };
  link(alpine, 'blob', [blobs.own.digest, blobs.shared.digest]);
  link(alpine, 'manifest', [manifests.alpine.digest]);
  link(busybox, 'blob', [blobs.shared.digest, blobs.other.digest]);
  link(busybox, 'manifest', [manifests.busybox.digest]);
  const confirmedAt = 1;
  store.facts.putTag('hub', alpine, latest, 'any', { digest: manifests.alpine.digest, confirmedAt });
  store.facts.putTag('hub', busybox, latest, 'any', { digest: manifests.busybox.digest, confirmedAt });
  store.facts.putTag('lab', busybox, latest, 'any', { digest: manifests.busybox.digest, confirmedAt });
  store.facts.putDerived('hub', alpine, derived);
  const isStored = async ({ digest }: Sample) => {
    const blob = await opened.store.blobs.open(digest);
    blob?.close();
    return blob !== undefined;
  };
  return {
    ...opened,
    get store() {
      return opened.store;
    },
    blobs,
    manifests,
    derived,
    stored: () => Promise.all([blobs.own, blobs.shared, blobs.other].map(isStored)),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}
