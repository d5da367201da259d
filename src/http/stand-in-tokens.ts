import { randomUUID } from 'node:crypto';
import { RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerValue, withoutHeaders } from '../domain/headers.ts';
import { isOutage, isOutageError, outageError } from '../domain/outage.ts';
import { parseScopes } from '../domain/scope.ts';
import { parseTokenAnswer } from '../domain/token-answer.ts';
import { inTime } from '../lib/in-time.ts';
import { createShortMemory } from '../lib/short-memory.ts';
import type { Answer, Endpoint } from '../pipeline/exchange.ts';

type Service = Endpoint['upstream'];

/** What a question for a token came to: the token, or why there is none. */
export type Outcome = { readonly token: string } | { readonly error: RegistryError };

/** What clients get in place of tokens while a token service does not answer, so that they come and ask for what is cached. */
export interface StandIns {
  /**
   * The answer of the token service, or the stand-in in its place: at once where it failed a moment ago, else when it takes its time.
   * @param bears whether a stand-in will do
   * @throws RegistryError when the service does not answer and a stand-in will not do
   */
  answer(service: Service, bears: boolean, ask: () => Promise<Answer>): Promise<Answer>;
  /** What becomes of the question for the token in whose place these fields show a stand-in; undefined where no question ran on. */
  question(service: Service, headers: HeaderList): Promise<Outcome> | undefined;
  /** Why there was no token for whoever shows the stand-in; undefined for everybody else. */
  reason(service: Service, headers: HeaderList): RegistryError | undefined;
}

interface Failure {
  readonly error: RegistryError;
  /** Until when nobody asks again. */
  until: number;
}

interface Question {
  readonly service: Service;
  readonly outcome: Promise<Outcome>;
}

const STAND_IN = 'no-token-service';
/** With the name of a question behind it, which nobody can guess: it may come to a token for private content. */
const SHOWN = /^Bearer no-token-service(?:\.([0-9a-f-]{36}))?$/;
/** How long a token service that failed is left in peace, in milliseconds. */
const PAUSE = 10_000;
/** So long as to be sure that clients of a healthy service get its own answer. */
const PATIENCE = 1_500;
const MAX_QUESTIONS = 1_000;
/** Longer than a pull takes: clients keep the stand-in for as long as they like, and a token that has ended is refused by its registry. */
const REMEMBERED_FOR = 60 * 60_000;

const NO_TOKEN = new RegistryError('UNAVAILABLE', {
  message: 'the token service of the registry could not be asked a moment ago; try again in a minute',
});

export interface StandInOptions {
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
  /** For how long clients wait for a token before they come without one, in milliseconds. */
  readonly patience?: number;
  /** Told when the token service of a registry begins to fail, and, without a reason, when it answers again. */
  readonly onTurn?: (turn: { readonly upstream: string; readonly origin: string; readonly reason?: string }) => void;
}

export function createStandIns({ now, patience = PATIENCE, onTurn }: StandInOptions): StandIns {
  const failures = new WeakMap<Service, Failure>();
  const questions = createShortMemory<Question>(MAX_QUESTIONS, now);

  /** A failure of the service is remembered. */
  async function settled(service: Service, ask: () => Promise<Answer>): Promise<Answer | RegistryError> {
    const outcome = await ask().catch((error: unknown) => {
      if (isOutageError(error)) return error;
      throw error;
    });
    const error = outcome instanceof RegistryError ? outcome : failureIn(outcome);
    const { name: upstream, origin } = service;
    if (failures.has(service) !== (error !== undefined))
      onTurn?.({ upstream, origin, ...(error && { reason: error.message }) });
    if (error === undefined) failures.delete(service);
    else failures.set(service, { error, until: now() + PAUSE });
    return error ?? outcome;
  }

  return {
    async answer(service, bears, ask) {
      if (!bears) return ask();
      const failure = failures.get(service);
      if (failure !== undefined && now() < failure.until) return standIn(STAND_IN);
      if (failure !== undefined) failure.until = now() + PAUSE;
      const asking = settled(service, ask);
      const answer = await inTime(asking, patience);
      if (answer instanceof RegistryError) return standIn(STAND_IN);
      if (answer !== undefined) return answer;
      const name = randomUUID();
      questions.put(name, { service, outcome: asking.then(outcomeOf, failedOutcome) }, REMEMBERED_FOR);
      return standIn(`${STAND_IN}.${name}`);
    },
    question(service, headers) {
      const question = questions.get(SHOWN.exec(authorizationIn(headers))?.[1] ?? '');
      // A token is for the registry whose service gave it.
      return question?.service === service ? question.outcome : undefined;
    },
    reason(service, headers) {
      if (!showsStandIn(headers)) return undefined;
      return failures.get(service)?.error ?? NO_TOKEN;
    },
  };
}

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
  return SHOWN.test(authorizationIn(headers));
}

function authorizationIn(headers: HeaderList): string {
  return headerValue(headers, 'Authorization') ?? '';
}

function outcomeOf(answer: Answer | RegistryError): Outcome {
  if (answer instanceof RegistryError) return { error: answer };
  const { status, body } = answer;
  const text = status === 200 && body.kind === 'bytes' ? Buffer.from(body.bytes).toString() : '';
  const given = parseTokenAnswer(text);
  if (given !== undefined) return { token: given.token };
  const message = `the token service of the registry gave no token: it answered ${status}`;
  return { error: new RegistryError('UNAUTHORIZED', { message }) };
}

function failedOutcome(cause: unknown): Outcome {
  return { error: new RegistryError('UNKNOWN', { message: 'manifix failed to ask for a token', cause }) };
}

function standIn(token: string): Answer {
  const bytes = Buffer.from(JSON.stringify({ token, access_token: token, expires_in: 60 }));
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
