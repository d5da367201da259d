import type { AskRequest } from '../config/ask-request.ts';
import { CREDENTIALS_VARIABLE, readCredentials, WRONG_CREDENTIALS } from '../config/environment.ts';
import type { ConfigResult } from '../config/load.ts';
import { basicAuthorization } from '../domain/credentials.ts';
import { formatHostPort } from '../lib/address.ts';
import { DirectoryInUse } from '../store/lock.ts';
import type { Problem } from './outcome.ts';

/** What the admin listener of a running manifix answered, or why nothing came. */
export type AdminAnswer = { readonly content: unknown } | Problem;

/** Asks the admin listener of the running manifix. It is found by --admin, or by the configuration that it runs on. */
export async function askRunning(
  place: AskRequest['place'],
  load: () => Promise<ConfigResult>,
  path: string,
  /** Sent as JSON with POST. */
  body?: object,
): Promise<AdminAnswer> {
  const found = await adminOrigin(place, load);
  if ('problem' in found) return found;
  const user = readCredentials(process.env[CREDENTIALS_VARIABLE]);
  if (user === undefined) return { problem: WRONG_CREDENTIALS, isUsage: true };
  const headers = {
    ...(user === 'nobody' ? {} : { Authorization: basicAuthorization(user.username, user.password) }),
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
  };
  const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  let response: Response;
  try {
    response = await fetch(found.origin + path, { ...sent, headers });
  } catch {
    const problem = `no manifix answers on ${found.origin}. Start it, or name its admin listener with --admin.`;
    return { problem, isUsage: false };
  }
  const content: unknown = await response.json().catch(() => undefined);
  if (response.ok && content !== undefined) return { content };
  const isUsage = response.status === 400;
  const said =
    typeof content === 'object' && content !== null && 'error' in content ? String(content.error) : undefined;
  return { problem: said ?? `${found.origin} answered ${response.status}: is it the admin listener?`, isUsage };
}

/**
 * Works on a cache directory, or has the manifix do it that runs there.
 * @param ask undefined where that has no admin listener
 */
export async function onDirectory(
  work: () => Promise<AdminAnswer>,
  ask: (() => Promise<AdminAnswer>) | undefined,
): Promise<AdminAnswer> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DirectoryInUse)) return { problem: (error as Error).message, isUsage: true };
    return ask?.() ?? { problem: `${error.message} Name its admin listener with --admin.`, isUsage: true };
  }
}

async function adminOrigin(
  { config, admin }: AskRequest['place'],
  load: () => Promise<ConfigResult>,
): Promise<{ readonly origin: string } | Problem> {
  if (admin !== undefined && config === undefined) return { origin: `http://${admin}` };
  const loaded = await load();
  if ('mistakes' in loaded) return { problem: loaded.mistakes.join('\n'), isUsage: true };
  const listen = loaded.config.admin?.listen;
  if (listen === undefined) {
    return { problem: 'the configuration has no admin listener: admin.listen is off', isUsage: true };
  }
  return { origin: `http://${formatHostPort(listen)}` };
}
