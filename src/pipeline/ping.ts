import { RegistryError } from '../domain/errors.ts';
import { headerValues } from '../domain/headers.ts';
import { inTime } from '../lib/in-time.ts';
import type { ShortMemory } from '../lib/short-memory.ts';
import { isOutage } from './access.ts';
import { type Answer, type Exchange, NO_BODY } from './exchange.ts';
import { passThrough } from './pass-through.ts';
import type { Services } from './ports.ts';

/** What a registry last wanted of a caller: nothing, or the credentials of these challenges. */
export interface PingAnswer {
  readonly challenges: readonly string[];
}

const REMEMBERED_FOR = 24 * 60 * 60_000;

/**
 * GET and HEAD of `/v2/`, with which podman and docker begin each pull (distribution-spec, "Determining Support"). While the registry
 * fails or keeps silent they get what it last said to this caller, or else that this is a registry, which gives nobody a right.
 */
export async function ping(services: Services, known: ShortMemory<PingAnswer>, exchange: Exchange): Promise<Answer> {
  const { upstream } = exchange.endpoint;
  const key = `${upstream.name} ${exchange.caller.identity}`;
  const outlook = upstream.outlook('GET', exchange.request.headers);
  const answer = outlook.ask ? await inTime(asked(services, exchange), outlook.patience) : undefined;
  if (answer === undefined) return remembered(known.get(key));
  if (answer.status === 200 || answer.status === 401) {
    known.put(key, { challenges: headerValues(answer.headers, 'WWW-Authenticate') }, REMEMBERED_FOR);
  }
  return answer;
}

/** The registry's answer; undefined when it gives none, or one that says only that it fails. */
async function asked(services: Services, exchange: Exchange): Promise<Answer | undefined> {
  try {
    const answer = await passThrough(services, exchange);
    return isOutage(answer.status) ? undefined : answer;
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'UNAVAILABLE') return undefined;
    throw error;
  }
}

function remembered({ challenges }: PingAnswer = { challenges: [] }): Answer {
  if (challenges.length > 0) {
    throw new RegistryError('UNAUTHORIZED', {
      headers: challenges.map((challenge) => ['WWW-Authenticate', challenge] as const),
    });
  }
  const headers = [
    ['Docker-Distribution-Api-Version', 'registry/2.0'],
    ['Content-Length', '0'],
  ] as const;
  return { status: 200, headers, body: NO_BODY, cache: 'stale', staleReason: 'registry-unavailable' };
}
