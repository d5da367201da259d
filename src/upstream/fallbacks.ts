import { RegistryError } from '../domain/errors.ts';
import type { GuardedClient } from './guard.ts';
import type { UpstreamRequest, UpstreamResponse } from './messages.ts';

/**
 * One registry at several URLs. Reads go to the first that answers, in order; pushes go to the first one only, because copies
 * that accept them would differ from it. When nobody answers, the reason is that of the first.
 */
export function withFallbacks(first: GuardedClient, others: readonly GuardedClient[]): GuardedClient {
  const all = [first, ...others];

  async function request(asked: UpstreamRequest): Promise<UpstreamResponse> {
    if (asked.method !== 'GET' && asked.method !== 'HEAD') return first.request(asked);
    const reasons = new Map<GuardedClient, UpstreamResponse | RegistryError>();
    for (const client of inOrder(all, asked)) {
      const outcome = await answerOf(client, asked);
      if (isAnswer(outcome)) {
        for (const reason of reasons.values()) discard(reason);
        return outcome;
      }
      reasons.set(client, outcome);
    }
    const reason = reasons.get(first);
    for (const client of others) discard(reasons.get(client));
    if (reason !== undefined && !(reason instanceof RegistryError)) return reason;
    const silent = others.filter((client) => hides(reasons.get(client)));
    throw reason === undefined || silent.length === 0 ? reason : withMirrors(reason, silent);
  }

  return {
    ...first,
    request,
    outlook(method, headers) {
      const outlooks = all.map((client) => client.outlook(method, headers));
      // That of the place which is asked next.
      const { budget } = outlooks.find(({ ask }) => ask) ?? {};
      return {
        ...(budget === undefined ? {} : { budget }),
        ask: outlooks.some(({ ask }) => ask),
        patience: Math.max(...outlooks.map(({ patience }) => patience)),
      };
    },
    conditions: () => all.flatMap((client) => client.conditions()),
    retire: async () => void (await Promise.all(all.map((client) => client.retire()))),
    close: async () => void (await Promise.all(all.map((client) => client.close()))),
  };
}

/** Those that are expected to answer go first. */
function inOrder(all: readonly GuardedClient[], { method, headers }: UpstreamRequest): readonly GuardedClient[] {
  const answers = (client: GuardedClient) => client.outlook(method === 'HEAD' ? 'HEAD' : 'GET', headers).ask;
  return [...all.filter(answers), ...all.filter((client) => !answers(client))];
}

/**
 * Only what says nothing about the content leads to the next URL: no answer, a limit, a failure, and what nobody is told about
 * private content.
 */
function isAnswer(outcome: UpstreamResponse | RegistryError): outcome is UpstreamResponse {
  if (outcome instanceof RegistryError || hides(outcome)) return false;
  return outcome.status !== 429 && (outcome.status < 500 || outcome.status === 501);
}

const HIDING: ReadonlySet<number> = new Set([401, 403, 404]);

/** Whether this is how registries hide private content from who is nobody there. */
function hides(outcome: UpstreamResponse | RegistryError | undefined): boolean {
  return outcome !== undefined && 'asNobody' in outcome && HIDING.has(outcome.status);
}

/** The reason of the first URL, and why the others were of no help. */
function withMirrors(reason: RegistryError, mirrors: readonly GuardedClient[]): RegistryError {
  const { code, status, message, explanation = `${message}.`, headers, cause } = reason;
  const places = mirrors.map(({ origin }) => origin).join(' and ');
  const sentence = `The same content may be at ${places}, where manifix has to ask as nobody and is shown nothing of it.`;
  return new RegistryError(code, { status, message, headers, cause, explanation: `${explanation} ${sentence}` });
}

async function answerOf(client: GuardedClient, asked: UpstreamRequest): Promise<UpstreamResponse | RegistryError> {
  try {
    return await client.request(asked);
  } catch (error) {
    if (error instanceof RegistryError && (error.code === 'UNAVAILABLE' || error.code === 'TOOMANYREQUESTS'))
      return error;
    throw error;
  }
}

function discard(reason: UpstreamResponse | RegistryError | undefined): void {
  if (!(reason instanceof RegistryError)) reason?.body.destroy();
}
