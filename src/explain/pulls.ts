import type { Config } from '../config/config.ts';
import type { ImageClientName } from '../domain/image-clients.ts';
import type { HostPort } from '../lib/address.ts';
import type { FinishedRequest } from '../pipeline/ports.ts';
import { type Ask, PULLS } from './clients.ts';
import { askLoopback } from './loopback.ts';
import { type TracedAnswer, traced } from './registry-trace.ts';
import { type Answer, type ClientRequest, type SeenAnswer, seenAnswer } from './seen.ts';
import { type FillCache, type StartApp, withThrowAway } from './throw-away.ts';

/** How one client fared. */
interface PullRecord {
  readonly client: ImageClientName;
  readonly complaint: string | undefined;
  readonly seen: readonly SeenAnswer[];
  readonly answers: readonly Answer[];
}

interface Run {
  readonly start: StartApp;
  readonly config: Config;
  readonly host: string;
  readonly authorization: string | undefined;
  readonly fill?: FillCache;
}

/** Pulls through a manifix of its own, and notes what its registries answered and what it did. */
export async function run(
  { start, config, host, authorization, fill }: Run,
  pull: (ask: Ask, answers: readonly TracedAnswer[]) => Promise<readonly PullRecord[]>,
) {
  const answers: TracedAnswer[] = [];
  const requests: FinishedRequest[] = [];
  const hooks = {
    requestFinished: (request: FinishedRequest) => void requests.push(request),
    watch: (upstream: Parameters<typeof traced>[0]) => traced(upstream, (answer) => void answers.push(answer)),
  };
  const action = (address: HostPort) => pull(askLoopback(address, host, authorization), answers);
  const pulls = await withThrowAway(start, config, hooks, action, fill);
  return { answers, requests, pulls };
}

/** The registry's own answer in place of what manifix made of it. */
export function rawAsk(ask: Ask, answers: readonly TracedAnswer[]): Ask {
  return async (request) => {
    const before = answers.length;
    const answer = await ask(request);
    const isOfRequest = ({ method, path }: TracedAnswer) =>
      method === request.method && /\/(?:manifests|blobs)\//.test(path);
    const isRead = /\/(?:manifests|blobs)\//.test(request.target);
    // The last one, because the first may have been a 401 that asks for a token.
    return (isRead ? answers.slice(before).findLast(isOfRequest) : undefined) ?? answer;
  };
}

/** One client after the other. What is no manifest is asked for once, and a blob without its bytes. */
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
    const pull = /\/manifests\/[^/]+$/.test(target.split('?', 1)[0] ?? '') ? PULLS[client] : PULLS.curl;
    const complaint = await pull(noting, target);
    records.push({ client, complaint, seen, answers });
  }
  return records;
}
