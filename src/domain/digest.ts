import { createHash, type Hash, hash } from 'node:crypto';

declare const digestBrand: unique symbol;

/** A digest in the form `algorithm:hex` that passed `parseDigest` or was computed here. */
export type Digest = string & { readonly [digestBrand]: true };

export type DigestAlgorithm = 'sha256' | 'sha384' | 'sha512';

/** Hashes bytes as they stream by. `copy` branches off the state so far. */
export interface Digester {
  update(chunk: Uint8Array): void;
  /** Ends the digester: call it once, last. */
  digest(): Digest;
  copy(): Digester;
}

const DIGEST_FORM = /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;

/** Accepts the three SHA-2 algorithms with lower-case hex of the right length (image-spec, "Digests"); undefined otherwise. */
export function parseDigest(text: string): Digest | undefined {
  return DIGEST_FORM.test(text) ? (text as Digest) : undefined;
}

/** The digest of a whole byte sequence. */
export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${hash(algorithm, bytes)}` as Digest;
}

/** The part in front of the colon. */
export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.slice(0, digest.indexOf(':')) as DigestAlgorithm;
}

/** The part behind the colon: lower-case hex, safe as a file name. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** A digester for bytes that arrive in chunks. */
export function createDigester(algorithm: DigestAlgorithm = 'sha256'): Digester {
  return digesterFrom(createHash(algorithm), algorithm);
}

function digesterFrom(state: Hash, algorithm: DigestAlgorithm): Digester {
  return {
    update: (chunk) => {
      state.update(chunk);
    },
    digest: () => `${algorithm}:${state.digest('hex')}` as Digest,
    copy: () => digesterFrom(state.copy(), algorithm),
  };
}
