import type { IncomingMessage } from 'node:http';
import type { HeaderList } from '../domain/headers.ts';
import type { Endpoint } from '../pipeline/exchange.ts';
import { clientAddress, type TrustCheck } from './client.ts';

/** Who uses up limits: the user, or the address of one who has no name. */
export function clientOf(
  user: string | undefined,
  incoming: IncomingMessage,
  headers: HeaderList,
  trusts: TrustCheck,
): string {
  return user === undefined ? clientAddress(incoming, headers, trusts) : `user ${user}`;
}

/**
 * Counts a request where its endpoint limits any.
 * @throws RegistryError 429
 */
export function countRequest({ limits }: Endpoint, client: string): void {
  const refusal = limits?.admit(client);
  if (refusal !== undefined) throw refusal;
}
