import { repositoryInPath } from '../domain/route-path.ts';
import { RecyclableBody } from '../lib/recyclable-body.ts';
import type { GuardedClient } from './guard.ts';

/** Requests that a registry answered, and bytes of bodies that came from it or went to it. The repository is empty for none. */
export type Meter = (repository: string, requests: number, bytes: number) => void;

/** A client whose use is counted: each answer at once, its bytes when no more come. */
export function metered(client: GuardedClient, spent: Meter): GuardedClient & { readonly spent: Meter } {
  return {
    ...client,
    spent,
    async request(asked) {
      const response = await client.request(asked);
      const { body, status } = response;
      // What a registry does not have, clients may call as they like.
      const repository = status < 400 ? (repositoryInPath(asked.path) ?? '') : '';
      spent(repository, 1, asked.body?.byteLength ?? 0);
      if (body instanceof RecyclableBody) body.once('close', () => spent(repository, 0, body.received));
      return response;
    },
  };
}
