import { describeRole, type ManifestDescriptor } from '../domain/descriptor.ts';
import type { Digest } from '../domain/digest.ts';
import { parseImageReference, tellable } from '../domain/image-reference.ts';
import { inspectManifest, type ManifestInspection } from '../domain/manifest.ts';
import { MANIFEST_TYPES } from '../domain/media-type.ts';
import { formatReference } from '../domain/reference.ts';
import type { EdgeClient } from './edge-client.ts';

/** What is to be in the cache; without platforms every image of an index. */
export interface Wanted {
  readonly reference: string;
  readonly platforms: readonly string[];
}

export interface WarmResult {
  readonly reference: string;
  readonly images: number;
  readonly blobs: number;
  readonly bytes: number;
  /** What could not be pulled, and why. */
  readonly failures: readonly string[];
}

/** Is told how it goes. */
export interface WarmProgress {
  /** So many bytes more are to come. */
  planned(bytes: number): void;
  received(bytes: number): void;
  finished(result: WarmResult): void;
}

const ACCEPT = [...MANIFEST_TYPES, '*/*'].join(', ');
const AT_ONCE = 4;

/** Pulls through a running manifix, one reference after the other, so that everything lands in its cache. */
export async function warmImages(
  client: EdgeClient,
  defaultHost: string,
  wanted: readonly Wanted[],
  progress: WarmProgress,
): Promise<readonly WarmResult[]> {
  const results: WarmResult[] = [];
  for (const one of wanted) {
    const result = await warmImage(client, defaultHost, one, progress);
    progress.finished(result);
    results.push(result);
  }
  return results;
}

async function warmImage(
  client: EdgeClient,
  defaultHost: string,
  { reference: text, platforms }: Wanted,
  progress: WarmProgress,
): Promise<WarmResult> {
  const done = { images: 0, blobs: 0, bytes: 0 };
  const failures: string[] = [];
  const image = parseImageReference(text);
  if (image === undefined)
    return { reference: tellable(text), ...done, failures: ['it is no image reference such as team/app:1.2'] };
  const host = image.host ?? defaultHost;
  const base = `/v2/${image.repository}`;

  async function attempt(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      failures.push(`${what}: ${(error as Error).message}`);
    }
  }
  const read = async (reference: string): Promise<ManifestInspection> => {
    const { bytes } = await client.manifest(host, `${base}/manifests/${reference}`, ACCEPT);
    done.bytes += bytes.length;
    return inspectManifest(bytes);
  };
  async function fill({ descriptors }: ManifestInspection, of: string): Promise<void> {
    done.images += 1;
    const blobs = new Map<Digest, ManifestDescriptor>();
    for (const one of descriptors) if (one.role !== 'subject' && one.digest !== undefined) blobs.set(one.digest, one);
    for (const { size = 0 } of blobs.values()) progress.planned(size);
    const queue = [...blobs];
    const work = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [digest, descriptor] = next;
        await attempt(`${of}${describeRole(descriptor)} ${digest}`, async () => {
          await client.blob(host, `${base}/blobs/${digest}`, (count) => {
            done.bytes += count;
            progress.received(count);
          });
          done.blobs += 1;
        });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  await attempt('manifest', async () => {
    const top = await read(formatReference(image.reference));
    if (top.shape !== 'index') return fill(top, '');
    const children = top.descriptors.filter((child) => child.role === 'child' && isWanted(child, platforms));
    for (const platform of platforms.filter((one) => !children.some((child) => matches(child, one)))) {
      failures.push(`${platform}: the index has no image for it`);
    }
    for (const child of children) {
      const { digest } = child;
      const name = child.platform ?? describeRole(child);
      if (digest !== undefined)
        await attempt(`${name}: manifest ${digest}`, async () => fill(await read(digest), `${name}: `));
    }
  });
  return { reference: text, ...done, failures };
}

function isWanted(child: ManifestDescriptor, platforms: readonly string[]): boolean {
  return platforms.length === 0 || platforms.some((platform) => matches(child, platform));
}

/** `linux/arm64` means each of its variants. */
function matches({ platform }: ManifestDescriptor, wanted: string): boolean {
  return platform === wanted || platform?.startsWith(`${wanted}/`) === true;
}
