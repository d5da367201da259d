import { clientName, type RequestNames } from '../domain/repository-names.ts';
import type { Answer, Endpoint, Exchange } from '../pipeline/exchange.ts';
import { admit } from './admission.ts';
import type { Arrival } from './arrival.ts';
import { answerForClient } from './client-answer.ts';
import type { Cursors } from './cursors.ts';
import type { Identity } from './identify.ts';
import { ownChallenge } from './own-challenge.ts';
import type { Target } from './routes.ts';
import { upstreamTarget } from './upstream-target.ts';

/** The way of one request through an endpoint, and of its answer back. */
export interface Passage {
  readonly endpoint: Endpoint;
  /** `http://host:port` as the client sees manifix. */
  readonly clientOrigin: string;
  /** In the upstream's names. */
  readonly target: Target;
  readonly identity: Identity;
  /** Whether the client may do that with a repository of this endpoint, by the upstream's name. */
  readonly may: Exchange['may'];
  /** Whether the catalogue shows a repository to the client, by the upstream's name. */
  readonly shows: Exchange['shows'];
  /** Puts an answer into the client's names. */
  back(answer: Answer): Promise<Answer>;
}

/**
 * Translates the target of a request. From here on there are only the upstream's names; what the endpoint does not let through
 * is refused here.
 * @throws RegistryError
 */
export function openPassage(
  cursors: Cursors,
  arrival: Arrival,
  identity: Identity,
  applied: Exchange['applied'],
): Passage {
  const { reached, method, asked, clientOrigin } = arrival;
  const { endpoint } = reached;
  const may: Exchange['may'] = (action, repository) =>
    endpoint.policy.allows(repository) && identity.isAllowed(action, repository) && identity.covers(action, repository);
  const { names, ...target } = upstreamTarget(reached, method, asked, cursors, may);
  const { route } = target;
  admit({ endpoint, identity, method, route, names, challenge: (wants) => ownChallenge(arrival, wants, route.kind) });
  reportLibraryPrefix(endpoint, names, applied);
  const shows = (repository: string) =>
    endpoint.policy.allows(repository) &&
    identity.isAllowed('list', repository) &&
    reached.holds?.(clientName(names, repository)) !== false;
  const request = { reached, method, route, names, clientOrigin, cursors, shows };
  return { endpoint, clientOrigin, target, identity, may, shows, back: (answer) => answerForClient(request, answer) };
}

/** Notes that a name of one component became one of the library, or would have. */
function reportLibraryPrefix(endpoint: Endpoint, { prefix, asked }: RequestNames, applied: Exchange['applied']): void {
  const mode = endpoint.libraryPrefix;
  if (mode === 'off' || asked === undefined || asked.client.slice(prefix.length).includes('/')) return;
  applied.push({ id: 'library-prefix', mode, note: 'a name of one component means an official image below library/' });
}
