import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { algorithmOf, type Digest, hexOf } from '../domain/digest.ts';

export type ContentKind = 'blob' | 'manifest';

/** Where everything is inside a cache directory. `v1` names the format of what is below it. */
export interface Layout {
  readonly directory: string;
  readonly lock: string;
  readonly facts: string;
  readonly parts: string;
  readonly quarantine: string;
  /** `<v1>/<blobs|manifests>`, with one directory per algorithm below. */
  contents(kind: ContentKind): string;
  /** `<v1>/<blobs|manifests>/<algorithm>/<first two hex digits>/<hex>` */
  content(kind: ContentKind, digest: Digest): string;
  /** A name for trying whether files can be made. */
  readonly probe: string;
  /** A name for something damaged; a later one comes behind an earlier one in the order of names. */
  quarantined(kind: ContentKind, digest: Digest, at: number): string;
  /** A new name for content that is still arriving. */
  newPart(digest: Digest): string;
  /** Whether a name in `parts` was left behind by an earlier process. */
  isOrphan(name: string): boolean;
}

/** Lays out a cache directory; touches no disk. */
export function createLayout(directory: string): Layout {
  const root = join(directory, 'v1');
  const session = randomBytes(6).toString('hex');
  const parts = join(root, 'parts');
  const quarantine = join(root, 'quarantine');
  let count = 0;
  const contents = (kind: ContentKind) => join(root, `${kind}s`);
  return {
    directory,
    lock: join(root, 'lock'),
    facts: join(root, 'facts.db'),
    parts,
    quarantine,
    probe: join(parts, `probe.${session}`),
    contents,
    content: (kind, digest) => {
      const hex = hexOf(digest);
      return join(contents(kind), algorithmOf(digest), hex.slice(0, 2), hex);
    },
    quarantined: (kind, digest, at) => {
      const time = new Date(at).toISOString().replaceAll(/[-:]/g, '');
      return join(quarantine, `${time}-${kind}-${algorithmOf(digest)}-${hexOf(digest)}`);
    },
    newPart: (digest) => {
      count += 1;
      return join(parts, `${hexOf(digest)}.${session}${count}.part`);
    },
    isOrphan: (name) => !name.includes(`.${session}`),
  };
}
