import type { Digest } from './digest.ts';

/** What a manifest names; fields that the manifest lacks or garbles are absent (image-spec, "Content Descriptors"). */
export interface ManifestDescriptor {
  readonly role: 'config' | 'layer' | 'child' | 'subject';
  /** Counted from 0 among the descriptors of the same role. */
  readonly position: number;
  readonly mediaType?: string;
  readonly digest?: Digest;
  /** Bytes. */
  readonly size?: number;
  /** `os/architecture` or `os/architecture/variant`. */
  readonly platform?: string;
  /** BuildKit marks it as a statement about an image. */
  readonly attestation?: true;
}

/** What manifests that passed say of the blobs that they name as config or layer. */
export interface Descriptors {
  note(upstream: string, descriptors: readonly ManifestDescriptor[]): void;
  /** Undefined when no manifest is known to name it; without a size when two disagree. */
  blob(upstream: string, digest: Digest): { readonly size?: number } | undefined;
}

/** How to name a descriptor to a person: `config`, `layer 3` (counted from 1), `child linux/arm64`, `child 2`, `subject`. */
export function describeRole(descriptor: ManifestDescriptor): string {
  switch (descriptor.role) {
    case 'layer':
      return `layer ${descriptor.position + 1}`;
    case 'child':
      return `child ${descriptor.platform ?? descriptor.position + 1}`;
    default:
      return descriptor.role;
  }
}
