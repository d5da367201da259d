import { type ImageClient, imageClients } from '../support/clients/image-clients.ts';
import { unusableTools } from '../support/tools.ts';

type ClientKind = (typeof imageClients)[number];

/** Clients that several suites of a file share, because engines take seconds to start. */
export interface Engines extends AsyncDisposable {
  of(kind: ClientKind): Promise<ImageClient>;
  stop(): Promise<void>;
}

/** Starts all usable clients at once. `of` rejects when that client did not start. */
export function startEngines(): Engines {
  const usable = imageClients.filter(({ tools }) => unusableTools(tools).length === 0);
  const started = new Map(usable.map((kind) => [kind.name, kind.start()]));
  // A client that does not start fails the tests that use it, not the others.
  for (const client of started.values()) client.catch(() => undefined);
  const stop = async () => {
    const clients = await Promise.allSettled(started.values());
    await Promise.all(clients.map((client) => (client.status === 'fulfilled' ? client.value.stop() : undefined)));
  };
  return {
    of: (kind) => started.get(kind.name) ?? Promise.reject(new Error(`${kind.name} cannot be used here`)),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
