import type { Endpoint, Exchange } from '../pipeline/exchange.ts';
import type { Arrival } from './arrival.ts';
import type { Cursors } from './cursors.ts';
import type { Identity } from './identify.ts';
import { openPassage, type Passage } from './passage.ts';

/** Who uses up limits: the user, or the address of one who has no name. */
export function clientOf(user: string | undefined, address: string): string {
  return user === undefined ? address : `user ${user}`;
}

/**
 * Opens the passage of a request and counts it where its endpoint limits any. Strangers whom the endpoint turns away use up
 * nothing of those whom it lets in. `/v2/` may mean any of several endpoints at one address, and manifix answers it itself: what the
 * clients of one have used up keeps nobody from the others.
 * @throws RegistryError
 */
export function openCounted(
  cursors: Cursors,
  arrival: Arrival,
  identity: Identity,
  client: string,
  applied: Exchange['applied'],
): Passage {
  const { endpoint, besides = [] } = arrival.reached;
  const open = () => openPassage(cursors, arrival, identity, applied);
  if (identity.isAsked && besides.length > 0) return open();
  const isStranger = identity.isAsked && identity.principal.user === undefined;
  if (!isStranger) count(endpoint, client);
  const passage = open();
  if (isStranger) count(endpoint, client);
  return passage;
}

/**
 * Counts a request for a token.
 * @throws RegistryError
 */
export function countToken({ limits }: Endpoint, client: string): void {
  const refusal = limits?.admitToken(client);
  if (refusal !== undefined) throw refusal;
}

function count({ limits }: Endpoint, client: string): void {
  const refusal = limits?.admit(client);
  if (refusal !== undefined) throw refusal;
}
