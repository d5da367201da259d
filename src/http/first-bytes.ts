import type { Answer } from '../pipeline/exchange.ts';
import type { BlobReader } from '../pipeline/ports.ts';

/** How long a download may take to its first bytes before the header fields go ahead of them, in milliseconds. */
const PATIENCE = 3_000;

/**
 * Waits a moment for the first bytes of a download, which for a small blob means until it is verified. As long as nothing
 * was sent, a failure can still be explained; afterwards the connection can only be cut.
 * @param milliseconds how long to wait; containerd gives a registry 30 s for its header fields
 */
export async function withFirstBytes(answer: Answer, milliseconds = PATIENCE): Promise<Answer> {
  const { body } = answer;
  if (body.kind !== 'blob' || answer.cache === 'hit') return answer;
  const first = body.reader.next();
  const { promise: tired, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  try {
    await Promise.race([first, tired]);
  } catch (error) {
    body.reader.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return { ...answer, body: { kind: 'blob', reader: continued(body.reader, first) } };
}

/** The reader, with a chunk in front that was taken already. */
function continued(reader: BlobReader, first: ReturnType<BlobReader['next']>): BlobReader {
  // It may fail after everybody has left.
  first.catch(() => undefined);
  let taken: typeof first | undefined = first;
  return {
    next: () => {
      const chunk = taken ?? reader.next();
      taken = undefined;
      return chunk;
    },
    close: () => reader.close(),
  };
}
