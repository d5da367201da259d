import { RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerValue, withoutHeaders } from '../domain/headers.ts';
import { isOutage, isOutageError, outageError } from '../domain/outage.ts';
import { parseScopes } from '../domain/scope.ts';
import { inTime } from '../lib/in-time.ts';
import type { Answer, Endpoint } from '../pipeline/exchange.ts';

type Service = Endpoint['upstream'];

/** What clients get in place of tokens while a token service cannot be asked, so that they come and ask for what is cached. */
export interface StandIns {
  /**
   * The answer of the token service, or the stand-in in its place. Nobody waits for a service that failed a moment ago.
   * @param bears whether a stand-in will do
   * @throws RegistryError when the service does not answer and a stand-in will not do
   */
  answer(service: Service, bears: boolean, ask: () => Promise<Answer>): Promise<Answer>;
  /** Why there was no token for whoever shows the stand-in; undefined for everybody else. */
  reason(service: Service, headers: HeaderList): RegistryError | undefined;
}

interface Failure {
  readonly error: RegistryError;
  /** Until when nobody asks again. */
  until: number;
}

const STAND_IN = 'no-token-service';
/** How long a token service that failed is left in peace, in milliseconds. */
const PAUSE = 10_000;
/** For how long a service is waited for that failed before, or whose registry does not answer, in milliseconds. */
const PATIENCE = 1_500;

/** @param now milliseconds of a clock that nobody sets */
export function createStandIns(now: () => number): StandIns {
  const failures = new WeakMap<Service, Failure>();

  /** Undefined when the service fails, which is remembered. */
  async function settled(service: Service, ask: () => Promise<Answer>): Promise<Answer | undefined> {
    const outcome = await ask().catch((error: unknown) => {
      if (isOutageError(error)) return error;
      throw error;
    });
    const error = outcome instanceof RegistryError ? outcome : failureIn(outcome);
    if (error === undefined) failures.delete(service);
    else failures.set(service, { error, until: now() + PAUSE });
    return error === undefined ? (outcome as Answer) : undefined;
  }

  return {
    async answer(service, bears, ask) {
      if (!bears) return ask();
      const failure = failures.get(service);
      if (failure !== undefined && now() < failure.until) return standIn();
      if (failure !== undefined) failure.until = now() + PAUSE;
      const asking = settled(service, ask);
      // It runs on when nobody waits for it any more, and whoever comes next hears what came of it.
      asking.catch(() => undefined);
      // The token services of some registries are the registries.
      const isDoubtful = failure !== undefined || !service.outlook('GET', []).ask;
      return (await inTime(asking, isDoubtful ? PATIENCE : Number.POSITIVE_INFINITY)) ?? standIn();
    },
    reason(service, headers) {
      if (!showsStandIn(headers)) return undefined;
      return failures.get(service)?.error ?? new RegistryError('UNAVAILABLE', { message: NO_TOKEN });
    },
  };
}

const NO_TOKEN = 'the token service of the registry could not be asked a moment ago; try again in a minute';

/** Registries of the same service are asked as nobody: the stand-in means nothing to them. */
export function withoutStandIn(headers: HeaderList): HeaderList {
  return showsStandIn(headers) ? withoutHeaders(headers, 'Authorization') : headers;
}

/** Whether who asks for these rights is served with those that everybody has: whoever wants to push or to log in is not. */
export function bearsStandIn(asksAsNobody: boolean, scope: string): boolean {
  const scopes = parseScopes(scope);
  return asksAsNobody || (scopes.length > 0 && scopes.every((one) => one.endsWith(':pull')));
}

function showsStandIn(headers: HeaderList): boolean {
  return headerValue(headers, 'Authorization') === `Bearer ${STAND_IN}`;
}

function standIn(): Answer {
  const bytes = Buffer.from(JSON.stringify({ token: STAND_IN, access_token: STAND_IN, expires_in: 60 }));
  const headers: HeaderList = [
    ['Content-Type', 'application/json'],
    ['Cache-Control', 'no-store'],
    ['Content-Length', String(bytes.length)],
  ];
  return { status: 200, headers, body: { kind: 'bytes', bytes }, cache: 'stale', staleReason: 'registry-unavailable' };
}

function failureIn({ status, headers }: Answer): RegistryError | undefined {
  return isOutage(status) ? outageError(status, headers, 'the token service of the registry') : undefined;
}
