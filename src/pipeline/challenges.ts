import { type Challenge, challengeOf, parseChallenges } from '../domain/challenge.ts';
import { headerValues } from '../domain/headers.ts';
import { isOutage, outageError } from '../domain/outage.ts';
import type { RepositoryName } from '../domain/reference.ts';
import { formatRoute } from '../domain/route-path.ts';
import { inTime } from '../lib/in-time.ts';
import { type Demands, noteDemands } from './demands.ts';
import type { Challenges, Upstream } from './ports.ts';

const REMEMBERED_FOR = 300_000;
const BASE = formatRoute({ kind: 'base' });

interface Noted {
  readonly challenge: Challenge | undefined;
  readonly until: number;
}

/** Where nothing outlives the process. */
const FORGETFUL: Demands = { demands: () => undefined, putDemands: () => undefined };

/**
 * They live as long as the upstream's client, which a reload replaces. A registry may move its tokens, so that it is asked again after
 * five minutes; while it does not answer, what it said last counts, also before the start.
 * @param now milliseconds of a clock
 */
export function createChallenges(now: () => number, facts = FORGETFUL): Challenges {
  const known = new WeakMap<Upstream, Noted>();

  async function learn(upstream: Upstream, repository: RepositoryName | undefined): Promise<Noted> {
    // `/v2/` is where registries say what they want (distribution-spec, "Determining Support"); some say it later only.
    const challenge =
      (await askFor(upstream, BASE)) ??
      (repository && (await askFor(upstream, formatRoute({ kind: 'tags', repository }))));
    const noted = { challenge, until: now() + REMEMBERED_FOR };
    if (challenge !== undefined) known.set(upstream, noted);
    return noted;
  }

  /** The challenge with which the registry answers `path` to callers without credentials. */
  async function askFor(upstream: Upstream, path: string): Promise<Challenge | undefined> {
    const { status, headers, body } = await upstream.request({ method: 'GET', path, headers: [] });
    body.destroy();
    if (isOutage(status)) throw outageError(status, headers);
    if (path === BASE) noteDemands(facts, upstream, { status, headers });
    return status === 401 ? usableChallenge(parseChallenges(headerValues(headers, 'WWW-Authenticate'))) : undefined;
  }

  function kept({ name }: Upstream): Noted | undefined {
    const challenge = usableChallenge(parseChallenges(facts.demands(name) ?? []));
    return challenge && { challenge, until: Number.NEGATIVE_INFINITY };
  }

  return {
    async of(upstream, repository) {
      const noted = known.get(upstream) ?? kept(upstream);
      if (noted === undefined) return (await learn(upstream, repository)).challenge;
      const { ask, patience } = upstream.outlook('GET', []);
      if (now() < noted.until || !ask) return noted.challenge;
      const asking = learn(upstream, repository).catch(() => noted);
      return ((await inTime(asking, patience)) ?? noted).challenge;
    },
  };
}

/** The challenge that clients of registries can answer. */
export function usableChallenge(challenges: readonly Challenge[]): Challenge | undefined {
  const bearer = challengeOf(challenges, 'bearer');
  return bearer?.parameters.has('realm') ? bearer : challengeOf(challenges, 'basic');
}
