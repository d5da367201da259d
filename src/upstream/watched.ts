import type { RegistryError } from '../domain/errors.ts';
import { outageError } from '../domain/outage.ts';
import { codedError, unavailable } from '../domain/unavailable.ts';
import type { Budgets } from './budgets.ts';
import type { Circuit } from './circuit.ts';
import { failureKind } from './failure.ts';
import type { UpstreamRequest, UpstreamResponse } from './messages.ts';
import type { Silence } from './silence.ts';
import type { UpstreamClient } from './upstream.ts';

/** What learns how a registry does. */
export interface Watchers {
  readonly circuit: Circuit;
  readonly silence: Silence;
  readonly budgets: Budgets;
}

/**
 * Requests of a client from which others learn how the registry does, and which fail when it does not answer in time, however
 * long they wait for a connection.
 * @param who the registry as the subject of a sentence
 * @param longest until the header fields are there, in milliseconds
 * @param now milliseconds of a clock that nobody sets
 */
export function watched(
  { request }: Pick<UpstreamClient, 'request'>,
  { circuit, silence, budgets }: Watchers,
  who: string,
  longest: number,
  now: () => number,
): (asked: UpstreamRequest) => Promise<UpstreamResponse> {
  return async (asked) => {
    const startedAt = now();
    const settle = silence.asked();
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(unavailable(who, tooLate())), longest);
    let reached = false;
    try {
      return await request({
        ...asked,
        signal: asked.signal === undefined ? late.signal : AbortSignal.any([asked.signal, late.signal]),
        onFirstAnswer({ status, headers }) {
          reached = true;
          budgets.answered(asked.headers, headers);
          if (isBroken(status)) circuit.failed('broken', outageError(status, headers, who), startedAt);
          else circuit.answered();
        },
      });
    } catch (error) {
      const kind = reached || asked.signal?.aborted === true ? undefined : failureKind(error);
      // Only RegistryErrors have a kind.
      if (kind !== undefined) circuit.failed(kind, error as RegistryError, startedAt);
      throw error;
    } finally {
      clearTimeout(timer);
      settle(reached);
    }
  };
}

function tooLate(): Error {
  return codedError('UND_ERR_HEADERS_TIMEOUT', 'no answer within the time');
}

/** 501 says that the registry does not know the request; it answers all others. */
function isBroken(status: number): boolean {
  return status >= 500 && status !== 501;
}
