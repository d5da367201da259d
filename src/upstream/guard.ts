import type { RegistryError } from '../domain/errors.ts';
import { type HeaderList, headerValue } from '../domain/headers.ts';
import { delay, systemClock } from '../lib/clock.ts';
import { type BudgetView, createBudgets } from './budgets.ts';
import { type CircuitView, createCircuit } from './circuit.ts';
import { createGate, type ReadLimits } from './gate.ts';
import type { UpstreamRequest, UpstreamResponse, UpstreamTurn } from './messages.ts';
import { createSilence } from './silence.ts';
import { createThrottling } from './throttling.ts';
import type { UpstreamClient } from './upstream.ts';
import { watched } from './watched.ts';
import type { UpstreamTimeouts } from './wire.ts';

/** What to expect of a question: whether it is worth asking, and how long whoever has an older answer should wait for it. */
export interface Outlook {
  readonly ask: boolean;
  /** In milliseconds. */
  readonly patience: number;
  /** The part that is left of the requests that the registry allows, from 0 to 1, where it tells. */
  readonly budget?: number;
}

/** A registry that is left in peace while it fails or limits requests. */
export interface GuardedClient extends UpstreamClient {
  outlook(method: 'GET' | 'HEAD', headers: HeaderList): Outlook;
  /** One for each of its URLs, and for the token services that were asked. */
  conditions(): readonly Condition[];
}

export interface Condition extends CircuitView {
  readonly upstream: string;
  readonly origin: string;
  readonly throttled: boolean;
  /** Where the registry tells how many requests it allows. */
  readonly budget?: BudgetView;
}

/** How long a request waits for the end of 429s in all, in milliseconds: clients give up after 30 s without an answer. */
const LONGEST_WAIT = 10_000;

/**
 * Puts a circuit breaker in front of the reads of a registry, and a pause after each 429. Pushes go out always: nobody else
 * can take them, and their clients wait for them. Without an answer reads reject as the client's do, at the latest when the
 * times for connecting and for the header fields are over, however long the queue for connections is.
 */
export function guarded(
  client: UpstreamClient,
  timeouts: UpstreamTimeouts,
  now: () => number = () => performance.now(),
  limits: ReadLimits = {},
  onTurn: (turn: UpstreamTurn) => void = () => undefined,
): GuardedClient {
  const who = `The registry ${client.name} (${client.origin})`;
  const { name: upstream, origin } = client;
  const circuit = createCircuit(now, { onTurn: (reason) => onTurn({ upstream, origin, reason }) });
  const throttling = createThrottling(who, now);
  const silence = createSilence(now);
  const gate = createGate(who, limits);
  const budgets = createBudgets(client.authority, now);
  const attempt = watched(client, { circuit, silence, budgets }, who, timeouts.connect + timeouts.headers, now);

  async function inTurn(asked: UpstreamRequest): Promise<UpstreamResponse> {
    const leave = await gate.enter(asked.signal ?? NEVER);
    try {
      const response = await attempt(asked);
      // Nobody has to read what has no bytes.
      if (asked.method === 'HEAD' || response.body.closed) leave();
      else response.body.once('close', leave);
      return response;
    } catch (error) {
      leave();
      throw error;
    }
  }

  async function turn(question: UpstreamRequest): Promise<Turn> {
    const { method, headers } = question;
    const refusal = circuit.admit() ?? throttling.admit(method, headers);
    if (refusal !== undefined) return { refusal, pause: pauseOf(refusal) };
    const response = await inTurn(question);
    return { response, pause: throttling.answered(method, headers, response) };
  }

  async function request(asked: UpstreamRequest): Promise<UpstreamResponse> {
    if (asked.method !== 'GET' && asked.method !== 'HEAD') return client.request(asked);
    const { throttled = 'pass', ...question } = asked;
    const longest = throttled === 'wait' ? LONGEST_WAIT : 0;
    let waited = 0;
    let outcome = await turn(question);
    while (outcome.pause !== undefined && waited + outcome.pause <= longest) {
      outcome.response?.body.destroy();
      await delay(systemClock, outcome.pause, asked.signal ?? NEVER);
      waited += outcome.pause;
      outcome = await turn(question);
    }
    if (outcome.response === undefined) throw outcome.refusal;
    return waited === 0 ? outcome.response : { ...outcome.response, waited };
  }

  const isSilent = () => silence.length > timeouts.revalidate;

  /** Nobody waits for it any more, although no question has failed yet. */
  function silentView(): Pick<Condition, 'reason'> {
    if (!isSilent()) return {};
    return { reason: `requests to it have been waiting for ${Math.round(silence.length / 1_000)} s without an answer` };
  }

  return {
    ...client,
    request,
    outlook(method, headers) {
      const ask = circuit.admits && throttling.admits(method, headers) && !isSilent();
      const isDoubtful = circuit.view().state !== 'closed' || throttling.suspects(method, headers);
      const patience = ask && !isDoubtful ? timeouts.revalidate : 0;
      const budget = budgets.shareOf(headers);
      return { ask, patience, ...(budget === undefined ? {} : { budget }) };
    },
    conditions() {
      const budget = budgets.view();
      const throttled = throttling.isThrottled;
      const view = { ...silentView(), ...circuit.view() };
      const own = { upstream, origin, ...view, throttled, ...(budget === undefined ? {} : { budget }) };
      // At the registry's own origin it has no name of its own, and is told only when it fails.
      const services = client
        .tokenServices()
        .filter((service) => service.origin !== origin || service.state !== 'closed');
      return [own, ...services.map((service) => ({ upstream, throttled: false, ...service }))];
    },
  };
}

/** What came of trying once; with a pause when it may be tried again after that many milliseconds. */
interface Turn {
  readonly response?: UpstreamResponse;
  readonly refusal?: RegistryError;
  readonly pause: number | undefined;
}

const NEVER = new AbortController().signal;

/** How long until a refused question may go out: only for limits, which end by themselves. */
function pauseOf(refusal: RegistryError): number | undefined {
  if (refusal.code !== 'TOOMANYREQUESTS') return undefined;
  const seconds = headerValue(refusal.headers, 'Retry-After');
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
