import type { Readable } from 'node:stream';
import { errors } from 'undici';
import { FIRST_BYTE, headOfFirstByte } from '../domain/first-byte.ts';
import { withHeader } from '../domain/headers.ts';
import { unavailable } from '../domain/unavailable.ts';
import { type Hop, type HopAnswer, send, type Wire } from './send.ts';

/**
 * Sends a hop. When the server closes a connection that had served before, it may have done so before it saw the request:
 * then a request that changes nothing is sent once more (RFC 9112, section 9.3.1).
 */
export async function ask(wire: Wire, hop: Hop, who: string): Promise<HopAnswer> {
  const translate = (error: unknown) => unavailable(who, error);
  try {
    return await send(wire, hop, translate);
  } catch (error) {
    if ((hop.method !== 'GET' && hop.method !== 'HEAD') || !closedAfterUse(error)) throw error;
    return send(wire, hop, translate);
  }
}

/** A HEAD in the form that storage allows whose URLs are signed for GET; the answer as that HEAD would have had it. */
export async function askFirstByte(wire: Wire, hop: Hop, who: string, refused: HopAnswer): Promise<HopAnswer> {
  drain(refused.body);
  const answer = await ask(wire, { ...hop, method: 'GET', headers: withHeader(hop.headers, ...FIRST_BYTE) }, who);
  answer.body.destroy();
  return headOfFirstByte(answer);
}

function closedAfterUse(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof errors.SocketError && (cause.socket?.bytesRead ?? 0) > 0;
}

/** A body up to this size is read, so that its connection can be used again. */
const MAX_DRAINED_BYTES = 65_536;

/** Reads a short body to its end in the background and destroys a long one. */
export function drain(body: Readable): void {
  let size = 0;
  body.on('data', (chunk: Uint8Array) => {
    size += chunk.byteLength;
    if (size > MAX_DRAINED_BYTES) body.destroy();
  });
  body.on('error', () => {});
}
