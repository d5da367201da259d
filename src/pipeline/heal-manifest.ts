import { algorithmOf, digestOf } from '../domain/digest.ts';
import { newlineVariants, undamaged } from '../domain/newlines.ts';
import type { Reference } from '../domain/reference.ts';
import type { Exchange } from './exchange.ts';
import type { Services } from './ports.ts';
import { reportRepair } from './report.ts';

const FIX = 'newline-and-encoding-damage';

/**
 * The manifest that a client meant to push, when only newlines tell it from what arrived: the one with the digest of the
 * URL, or one that passed through here before. A digest is proof: nobody gets to know bytes that he did not have.
 */
export async function healManifest(
  services: Services,
  exchange: Exchange,
  reference: Reference,
  arrived: Uint8Array,
): Promise<Uint8Array> {
  const mode = exchange.endpoint.fixes.mode(FIX);
  if (mode === 'off') return arrived;
  const original = reference.kind === 'digest' ? named(arrived, reference) : await served(services, arrived);
  if (original === undefined) return arrived;
  reportRepair(exchange, FIX, `put ${arrived.byteLength} bytes back to the ${original.byteLength} that they were`);
  return mode === 'on' ? original : arrived;
}

function named(arrived: Uint8Array, { digest }: Extract<Reference, { kind: 'digest' }>): Uint8Array | undefined {
  if (digestOf(arrived, algorithmOf(digest)) === digest) return undefined;
  return undamaged(arrived, digest)?.bytes;
}

/** A manifest that is stored here came from a registry, and went to clients, exactly so. */
async function served({ manifests }: Services, arrived: Uint8Array): Promise<Uint8Array | undefined> {
  if ((await manifests.get(digestOf(arrived))) !== undefined) return undefined;
  for (const { bytes } of newlineVariants(arrived)) {
    if ((await manifests.get(digestOf(bytes))) !== undefined) return bytes;
  }
  return undefined;
}
