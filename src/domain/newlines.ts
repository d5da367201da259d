import { algorithmOf, type Digest, digestOf } from './digest.ts';

/** What text tools do to a file that they send. `bytes` undoes it. */
export interface NewlineVariant {
  readonly damage: 'lost-newline' | 'added-newline' | 'crlf' | 'lf';
  readonly bytes: Uint8Array;
}

const NEWLINE = 0x0a;

/** The bytes as they may have been before something dropped or added a newline at the end, or changed how lines end. */
export function newlineVariants(bytes: Uint8Array): readonly NewlineVariant[] {
  const text = Buffer.from(bytes).toString('latin1');
  const lf = text.replaceAll('\r\n', '\n');
  const variants: NewlineVariant[] = [
    { damage: 'lost-newline', bytes: Buffer.concat([bytes, Buffer.of(NEWLINE)]) },
    { damage: 'added-newline', bytes: bytes.at(-1) === NEWLINE ? bytes.subarray(0, -1) : bytes },
    { damage: 'crlf', bytes: Buffer.from(lf, 'latin1') },
    { damage: 'lf', bytes: Buffer.from(lf.replaceAll('\n', '\r\n'), 'latin1') },
  ];
  return variants.filter((variant) => !Buffer.from(variant.bytes).equals(bytes));
}

/** The variant that has the digest. */
export function undamaged(bytes: Uint8Array, digest: Digest): NewlineVariant | undefined {
  return newlineVariants(bytes).find((variant) => digestOf(variant.bytes, algorithmOf(digest)) === digest);
}
