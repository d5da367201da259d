import { pipeline, type Readable, Transform } from 'node:stream';
import { algorithmOf, createDigester, type Digest } from '../domain/digest.ts';
import { RegistryError } from '../domain/errors.ts';

/**
 * The bytes of `body`, the newest chunk held back until it is known whether all of them have the digest; if not, or when
 * the body breaks off, the stream fails instead of ending, so that nobody takes it for complete. Destroying it destroys
 * the body.
 */
export function verifiedStream(body: Readable, expected: Digest): Readable {
  // The reader of the last stream learns of every error; the callback has nothing to add.
  return pipeline(body, holdingBack(expected), () => {});
}

function holdingBack(expected: Digest): Transform {
  const digester = createDigester(algorithmOf(expected));
  let held: Uint8Array | undefined;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      digester.update(chunk);
      const ready = held;
      held = chunk;
      done(null, ready);
    },
    flush(done) {
      const actual = digester.digest();
      if (actual === expected) done(null, held);
      else done(digestMismatch(expected, actual));
    },
  });
}

/** The registry answered with other bytes than the digest stands for. */
export function digestMismatch(expected: Digest, actual: Digest): RegistryError {
  return new RegistryError('UNKNOWN', {
    status: 502,
    message: 'the registry answered with bytes that do not match the digest',
    detail: { requested: expected, received: actual },
    explanation: `The registry answered a request for ${expected} with bytes that have the digest ${actual}. They were neither served nor stored; look at what stands between manifix and the registry.`,
    fix: 'digest-enforcement',
  });
}
