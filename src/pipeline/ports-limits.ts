import type { RegistryError } from '../domain/errors.ts';
import type { Flow } from '../lib/shared-rate.ts';

/** The limits of one endpoint at work. A client is a user, or the address of one who has no name. */
export interface Limiter {
  /** Counts a request, or says why it is not answered. */
  admit(client: string): RegistryError | undefined;
  /** The same for a request for a token. */
  admitToken(client: string): RegistryError | undefined;
  /** Counts a request whose answer is ready. False, and nothing is counted, when it has to wait or to be refused. */
  admitReady(client: string, bytes: number): boolean;
  allowance(client: string): Allowance;
}

/** What one request may use. */
export interface Allowance {
  /** The most bytes of one pushed blob; undefined without limit. */
  readonly upload: number | undefined;
  /** What becomes of a push that has more. @param received bytes that came, over all requests of the upload */
  uploadTooLarge(received: number, announced?: number): RegistryError;
  /**
   * Waits until a download may begin, and resolves with the function that ends it. Rejects with a RegistryError 429 when that
   * takes too long, or with the signal's reason.
   */
  enterFill(signal: AbortSignal): Promise<() => void>;
  /** At what pace the body is sent; undefined for as fast as it can be. */
  pace(): Flow | undefined;
}

/** On whose account a download runs. */
export interface FillShare {
  /** Those who take turns with others. */
  readonly group: string;
  /** Whose place in the queue it is. */
  readonly client: string;
  /** As in `Allowance`; absent without a limit. */
  readonly enter?: (signal: AbortSignal) => Promise<() => void>;
}
