import { CREDENTIALS_VARIABLE } from '../config/environment.ts';
import type { ConfigResult } from '../config/load.ts';
import type { WarmRequest } from '../config/warm-request.ts';
import { formatHostPort, type HostPort, parseHostPort } from '../lib/address.ts';
import { createEdgeClient, type EdgeAddress } from './edge-client.ts';
import { badConfiguration, type CommandOutcome } from './outcome.ts';
import { type Wanted, type WarmResult, warmImages } from './warm-images.ts';
import { showProgress } from './warm-progress.ts';

/**
 * Pulls images through the running manifix: those that are named, or the list of the configuration. Ends with 0, with 1
 * when something could not be pulled, or with 2 when it is not clear what or where.
 */
export async function runWarmCommand(
  { place, listen, references, platforms, json }: WarmRequest,
  load: () => Promise<ConfigResult>,
): Promise<CommandOutcome> {
  const loaded = listen !== undefined && references.length > 0 && place.config === undefined ? undefined : await load();
  if (loaded !== undefined && 'mistakes' in loaded) return badConfiguration(loaded.mistakes);
  const config = loaded?.config;
  const wanted: readonly Wanted[] =
    references.length > 0
      ? references.map((reference) => ({ reference, platforms }))
      : (config?.warm ?? []).map((entry) => ({
          ...entry,
          platforms: platforms.length > 0 ? platforms : entry.platforms,
        }));
  if (wanted.length === 0)
    return { exitCode: 2, complaint: 'manifix: name images, or list them under "warm" in the configuration' };
  const address = edgeAddress(listen, config);
  if (address === undefined) return { exitCode: 2, complaint: 'manifix: name the address of clients with --listen' };
  const results = await warmThrough(address, wanted, json);
  const exitCode = results.every(({ failures }) => failures.length === 0) ? 0 : 1;
  return { exitCode, ...(json ? { text: JSON.stringify({ results }) } : {}) };
}

/** Where clients reach the manifix: as told, or as configured. */
export function edgeAddress(
  listen: string | undefined,
  config: { readonly listen: HostPort; readonly tls: object | undefined } | undefined,
): EdgeAddress | undefined {
  const address = listen === undefined ? config?.listen : parseHostPort(listen);
  return address && { ...address, tls: config?.tls !== undefined };
}

/** Pulls through the manifix at this address and shows how it goes. */
export async function warmThrough(
  address: EdgeAddress,
  wanted: readonly Wanted[],
  silent: boolean,
): Promise<readonly WarmResult[]> {
  const client = createEdgeClient(address, process.env[CREDENTIALS_VARIABLE]);
  const quiet = { planned: () => undefined, received: () => undefined, finished: () => undefined };
  try {
    return await warmImages(
      client,
      formatHostPort(address),
      wanted,
      silent ? quiet : showProgress(process.stdout, Date.now),
    );
  } finally {
    client.close();
  }
}
