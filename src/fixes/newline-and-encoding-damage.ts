import type { Fix } from './fix.ts';

/** Shells drop newlines from what they put into a command, and editors change how lines end. Repaired by the pipeline. */
export const newlineAndEncodingDamage: Fix = {
  id: 'newline-and-encoding-damage',
  title: 'A pushed manifest that lost or gained newlines on its way is stored as it was',
  symptom: '`DIGEST_INVALID` for a manifest from `$(curl ...)`, or a tag with another digest than its source',
  defaultMode: 'off',
  digest: 'on push',
};
