import { type Challenge, challengeOf, parseChallenges } from '../domain/challenge.ts';
import { headerValues } from '../domain/headers.ts';
import type { Upstream } from './ports.ts';

/** What registries want of those who ask them. */
export interface Challenges {
  /** The challenge for a token or a password with which the registry answers `/v2/`; undefined when it wants nothing. */
  of(upstream: Upstream): Promise<Challenge | undefined>;
}

/** They live as long as the upstream's client, which a reload replaces. */
export function createChallenges(): Challenges {
  const known = new WeakMap<Upstream, Challenge>();
  return {
    async of(upstream) {
      const noted = known.get(upstream);
      if (noted !== undefined) return noted;
      // `/v2/` is where registries say what they want (distribution-spec, "Determining Support").
      const answer = await upstream.request({ method: 'GET', path: '/v2/', headers: [] });
      answer.body.destroy();
      const all = parseChallenges(answer.status === 401 ? headerValues(answer.headers, 'WWW-Authenticate') : []);
      const challenge = usableChallenge(all);
      if (challenge !== undefined) known.set(upstream, challenge);
      return challenge;
    },
  };
}

/** The challenge that clients of registries can answer. */
export function usableChallenge(challenges: readonly Challenge[]): Challenge | undefined {
  const bearer = challengeOf(challenges, 'bearer');
  return bearer?.parameters.has('realm') ? bearer : challengeOf(challenges, 'basic');
}
