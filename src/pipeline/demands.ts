import { parseChallenges } from '../domain/challenge.ts';
import { type HeaderList, headerValues } from '../domain/headers.ts';
import { holdsCredentials } from '../domain/realm.ts';
import type { Upstream } from './ports.ts';
import type { Facts } from './ports-facts.ts';

export type Demands = Pick<Facts, 'demands' | 'putDemands'>;

/**
 * Remembers what a registry wants of callers without credentials, by its answer to `/v2/` for one of them (distribution-spec,
 * "Determining Support"). Nothing else says it while the registry keeps silent after a restart of manifix.
 */
export function noteDemands(
  facts: Demands,
  { name, authority }: Pick<Upstream, 'name' | 'authority'>,
  { status, headers }: { readonly status: number; readonly headers: HeaderList },
): void {
  // With a right of its own manifix is somebody.
  if (authority === 'own' || (status !== 200 && status !== 401)) return;
  const wanted = status === 200 ? [] : headerValues(headers, 'WWW-Authenticate');
  if (status === 401 && wanted.length === 0) return;
  // Secrets of others are not stored; such a realm gets no credentials anyway.
  const realms = parseChallenges(wanted).map(({ parameters }) => parameters.get('realm') ?? '');
  if (realms.some(holdsCredentials)) return;
  if (JSON.stringify(facts.demands(name)) !== JSON.stringify(wanted)) facts.putDemands(name, wanted);
}
