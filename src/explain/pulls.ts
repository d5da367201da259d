import type { Config } from '../config/config.ts';
import type { ImageClientName } from '../domain/image-clients.ts';
import type { HostPort } from '../lib/address.ts';
import type { FinishedRequest } from '../pipeline/ports.ts';
import { type Ask, PULLS } from './clients.ts';
import { askLoopback, type LoopbackClient } from './loopback.ts';
import { type TracedAnswer, traced } from './registry-trace.ts';
import { type Answer, type ClientRequest, type SeenAnswer, seenAnswer } from './seen.ts';
import { type FillCache, type StartApp, withThrowAway } from './throw-away.ts';

/** How one client fared. */
export interface PullRecord {
  readonly client: ImageClientName;
  readonly complaint: string | undefined;
  readonly seen: readonly SeenAnswer[];
  readonly answers: readonly Answer[];
}

interface Run {
  readonly start: StartApp;
  readonly config: Config;
  readonly asker: LoopbackClient;
  readonly fill?: FillCache;
}

/** Pulls through a manifix of its own, and notes what its registries answered and what it did. */
export async function run(
  { start, config, asker, fill }: Run,
  pull: (ask: Ask, answers: readonly TracedAnswer[]) => Promise<readonly PullRecord[]>,
) {
  const answers: TracedAnswer[] = [];
  const requests: FinishedRequest[] = [];
  const hooks = {
    requestFinished: (request: FinishedRequest) => void requests.push(request),
    watch: (upstream: Parameters<typeof traced>[0]) => traced(upstream, (answer) => void answers.push(answer)),
  };
  const action = (address: HostPort) => pull(askLoopback(address, asker), answers);
  const pulls = await withThrowAway(start, config, hooks, action, fill);
  return { requests, pulls };
}

const READS_CONTENT = /\/(?:manifests|blobs)\//;

/** The registry's own answer in place of what manifix made of it. */
export function rawAsk(ask: Ask, answers: readonly TracedAnswer[]): Ask {
  return async (request) => {
    const before = answers.length;
    const answer = await ask(request);
    if (answers.length === before && answer.status >= 400) return { ...answer, isStandIn: true };
    const isOfRequest = ({ method, path }: TracedAnswer) => method === request.method && READS_CONTENT.test(path);
    // The last one, because the first may have been a 401 that asks for a token.
    const raw = READS_CONTENT.test(request.target) ? answers.slice(before).findLast(isOfRequest) : undefined;
    return raw ?? answer;
  };
}

/** Whether the target is a manifest, which clients pull each in its own way. */
export function isManifestTarget(target: string): boolean {
  return /\/manifests\/[^/]+$/.test(target.split('?', 1).join());
}

/** One client after the other. What is no manifest is asked for as curl does. */
export async function pullAs(
  clients: readonly ImageClientName[],
  target: string,
  ask: Ask,
): Promise<readonly PullRecord[]> {
  const records: PullRecord[] = [];
  for (const client of clients) {
    const seen: SeenAnswer[] = [];
    const answers: Answer[] = [];
    const noting: Ask = async (request: ClientRequest) => {
      const answer = await ask(request);
      seen.push(seenAnswer(request, answer));
      answers.push(answer);
      return answer;
    };
    const pull = isManifestTarget(target) ? PULLS[client] : PULLS.curl;
    const complaint = await pull(noting, target);
    const isUnanswered = answers.some(({ isStandIn }) => isStandIn);
    records.push({ client, complaint: isUnanswered ? 'no answer' : complaint, seen, answers });
  }
  return records;
}
