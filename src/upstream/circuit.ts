import { RegistryError } from '../domain/errors.ts';
import { formatRetryAfter } from '../domain/retry-after.ts';
import type { FailureKind } from './failure.ts';

/** The longest pause between two questions to a registry that does not answer, in milliseconds. */
export const LONGEST_PAUSE = 10_000;
const FIRST_PAUSE = 1_000;
/** A broken answer or a 5xx may be the fault of one request; that many in a row, and no other answer, are the registry's. */
const ODD_ANSWERS = 3;

/** `closed`: asks. `open`: does not, after a failure. `half-open`: one question is out to see whether it answers again. */
export type CircuitState = 'closed' | 'open' | 'half-open';

export interface CircuitView {
  readonly state: CircuitState;
  /** Why it is not asked. */
  readonly reason?: string;
}

/**
 * A circuit breaker: a registry that fails is asked again only now and then, and in between nobody waits for it. Where it fails at
 * once, that goes for what can be answered without it: `admits` says no, and `admit` lets the others hear the reason of now.
 */
export interface Circuit {
  /** Undefined when a question may go out, else the reason why it may not; the first that may after a pause is the probe. */
  admit(): RegistryError | undefined;
  /** Whether `admit` would let a question out. */
  readonly admits: boolean;
  /** The registry answered, whatever it said, short of a 5xx. */
  answered(): void;
  /** A question that went out at `startedAt` failed. */
  failed(kind: FailureKind, error: RegistryError, startedAt: number): void;
  view(): CircuitView;
}

interface CircuitOptions {
  /** Whether `admit` refuses also where it fails at once: for a service whose answer nobody can do without. */
  readonly refusesAll?: boolean;
  /** Told why it opens, and, without a reason, that it closed again. */
  readonly onTurn?: (reason?: string) => void;
}

/** @param now milliseconds of a clock that nobody sets */
export function createCircuit(now: () => number, { refusesAll = false, onTurn }: CircuitOptions = {}): Circuit {
  let failure: RegistryError | undefined;
  let oddAnswers = 0;
  let answeredAt = Number.NEGATIVE_INFINITY;
  let pause = 0;
  let nextAt = 0;
  let probing = false;
  let isSilent = false;

  return {
    get admits() {
      return failure === undefined || now() >= nextAt;
    },
    admit() {
      if (failure === undefined) return undefined;
      const left = nextAt - now();
      if (left > 0) return isSilent || refusesAll ? refusal(failure, left) : undefined;
      probing = true;
      nextAt = now() + LONGEST_PAUSE;
      return undefined;
    },
    answered() {
      if (failure !== undefined) onTurn?.();
      failure = undefined;
      probing = false;
      oddAnswers = 0;
      pause = 0;
      answeredAt = now();
    },
    failed(kind, error, startedAt) {
      // Others were answered in the meantime: it is the question, not the registry.
      if (answeredAt > startedAt) return;
      if (kind === 'broken') oddAnswers += 1;
      if (kind === 'broken' && failure === undefined && oddAnswers < ODD_ANSWERS) return;
      const isProbe = failure === undefined || now() >= nextAt || probing;
      if (failure === undefined) onTurn?.(error.message);
      failure = error;
      isSilent = kind === 'silent';
      if (!isProbe) return;
      pause = Math.min(LONGEST_PAUSE, Math.max(FIRST_PAUSE, pause * 2));
      probing = false;
      nextAt = now() + pause;
    },
    view() {
      if (failure === undefined) return { state: 'closed' };
      return { state: probing ? 'half-open' : 'open', reason: failure.message };
    },
  };
}

function refusal(failure: RegistryError, left: number): RegistryError {
  const seconds = formatRetryAfter(left);
  return new RegistryError(failure.code, {
    status: failure.status,
    message: failure.message,
    explanation: `${failure.message}; manifix asks it again in ${seconds} s. What is known is answered from the cache meanwhile.`,
    headers: [['Retry-After', seconds]],
    cause: failure,
  });
}
