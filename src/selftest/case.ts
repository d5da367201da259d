import type { Answer, Send } from '../broken/client.ts';
import { type RegistryAnswer, type RegistryRequest, type Repository, refusal } from '../broken/message.ts';
import type { Content } from './content.ts';

/** What a case's registry may do with a request. */
export interface Turn {
  readonly request: RegistryRequest;
  readonly repository: Repository;
  readonly content: Content;
  /** What a registry without defects answers, to this request or to another one. */
  readonly normally: (request?: RegistryRequest) => RegistryAnswer;
  /** The same registry under another origin. */
  readonly elsewhere: string;
  /** How often this repository was asked for something, this time included. */
  readonly asked: number;
}

/** How the registry of a case answers. */
export type Defect = (turn: Turn) => RegistryAnswer;

/** What a client can do in a case. */
export interface Stage {
  readonly send: Send;
  /** `/v2/<repository>`, whose registry has the defect. */
  readonly base: string;
  /** What the repository holds. */
  readonly content: Content;
}

/** One known bad case: a registry with a defect, and a client that would notice. */
export interface SelftestCase {
  /** The fix or rule that is tried. */
  readonly id: string;
  /** The defect; a registry without it where none is needed. */
  readonly registry?: Defect;
  /** Does what fails without the fix, and says whether it went well. */
  readonly works: (stage: Stage) => Promise<boolean>;
  /** Observing does not show this defect: only the repair finds out whether it is there. */
  readonly isSilent?: true;
  /** Only behind upstreams of this kind. */
  readonly kind?: 'dockerhub';
  /** Only behind upstreams where each caller's own right counts, or where manifix asks in its own name. */
  readonly authority?: 'caller' | 'own';
}

/** Changes the answers to reads of manifests that succeeded. */
export function onManifest(change: (answer: RegistryAnswer, turn: Turn) => RegistryAnswer): Defect {
  return (turn) => {
    const answer = turn.normally();
    const { method, path } = turn.request;
    const reads = method === 'GET' || method === 'HEAD';
    return reads && path.includes('/manifests/') && answer.status === 200 ? change(answer, turn) : answer;
  };
}

/** Changes the answers to one method below a part of the path. */
export function on(
  method: string,
  part: string,
  change: (answer: RegistryAnswer, turn: Turn) => RegistryAnswer,
): Defect {
  return (turn) => {
    const answer = turn.normally();
    return turn.request.method === method && turn.request.path.includes(part) ? change(answer, turn) : answer;
  };
}

/** Refuses requests that are not as the registry wants them. */
export function unless(accepts: (turn: Turn) => boolean, answer: RegistryAnswer): Defect {
  return (turn) => (accepts(turn) ? turn.normally() : answer);
}

export function withFields(answer: RegistryAnswer, fields: Readonly<Record<string, string>>): RegistryAnswer {
  return { ...answer, headers: { ...answer.headers, ...fields } };
}

export function withoutField(answer: RegistryAnswer, name: string): RegistryAnswer {
  const { [name]: _, ...headers } = answer.headers ?? {};
  return { ...answer, headers };
}

export const NOT_ACCEPTABLE = refusal(406, 'MANIFEST_INVALID', 'not acceptable');

/** The address that opens an upload, and the query of the one that goes on with it. */
export async function openUpload({ send, base }: Stage): Promise<string> {
  const opened = await send('POST', `${base}/blobs/uploads/`);
  return opened.header('Location') ?? '';
}

export function hasField(answer: Answer, name: string, value: string): boolean {
  return answer.header(name) === value;
}
