import { RegistryError } from '../domain/errors.ts';
import { codedError, unavailable } from '../domain/unavailable.ts';
import { putLast } from '../lib/put-last.ts';
import { type Circuit, type CircuitView, createCircuit } from './circuit.ts';
import { failureKind, TokenServiceFailure } from './failure.ts';

export interface TokenServiceView extends CircuitView {
  /** `scheme://host:port` */
  readonly origin: string;
}

/** The token services of a registry, each with a circuit breaker. */
export interface TokenServices {
  view(): readonly TokenServiceView[];
  /**
   * Asks the service at this origin. Rejects at once, with the reason, while it is known to fail.
   * @throws TokenServiceFailure with the code, the status and the words of the failure
   */
  ask<Answer>(origin: string, question: (signal: AbortSignal) => Promise<Answer>): Promise<Answer>;
}

/** A registry names its token services itself, at other origins each time if it likes. */
const MAX_SERVICES = 16;

/**
 * @param longestWait how long a service is waited for, in milliseconds
 * @param now milliseconds of a clock that nobody sets
 * @param onTurn told when a service begins to fail, and when it answers again
 */
export function createTokenServices(
  longestWait: number,
  now = () => performance.now(),
  onTurn?: (origin: string, reason?: string) => void,
): TokenServices {
  const circuits = new Map<string, Circuit>();

  function circuitOf(origin: string): Circuit {
    const circuit =
      circuits.get(origin) ??
      createCircuit(now, { refusesAll: true, onTurn: (...reason) => onTurn?.(origin, ...reason) });
    putLast(circuits, origin, circuit, MAX_SERVICES);
    return circuit;
  }

  return {
    view: () => [...circuits].map(([origin, circuit]) => ({ origin, ...circuit.view() })),
    async ask(origin, question) {
      const circuit = circuitOf(origin);
      const refusal = circuit.admit();
      if (refusal !== undefined) throw failureOf(refusal);
      const startedAt = now();
      const late = new AbortController();
      const tooLate = () => late.abort(unavailable(`The token service ${origin}`, lateError()));
      const timer = setTimeout(tooLate, longestWait);
      try {
        const answer = await question(late.signal);
        circuit.answered();
        return answer;
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        // A 429 is an answer. Without a cause it is one that says that the service fails.
        if (error.code === 'UNAVAILABLE') circuit.failed(failureKind(error) ?? 'broken', error, startedAt);
        else circuit.answered();
        throw failureOf(error);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function failureOf(error: RegistryError): TokenServiceFailure {
  const { code, status, message, explanation, headers } = error;
  return new TokenServiceFailure(code, {
    status,
    message,
    headers,
    cause: error,
    ...(explanation !== undefined && { explanation }),
  });
}

function lateError(): Error {
  return codedError('UND_ERR_HEADERS_TIMEOUT', 'no token within the time');
}
