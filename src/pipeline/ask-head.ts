import { FIRST_BYTE, headOfFirstByte } from '../domain/first-byte.ts';
import type { HeaderList } from '../domain/headers.ts';
import { type Exchange, redirectsOf, storageProbeOf, throttledOf } from './exchange.ts';
import type { Services, UpstreamResponse } from './ports.ts';
import type { LinkKind } from './ports-facts.ts';
import { reportRepair, reportWait } from './report.ts';

const FIX = 'head-unsupported';

/** One question about content: the path that HEAD and GET share. */
export interface HeadQuestion {
  readonly kind: LinkKind;
  readonly path: string;
  /** As they go to the registry. */
  readonly headers: HeaderList;
  /** Whether an older answer will do, so that a 429 is not waited out. */
  readonly hurried?: boolean;
}

type Head = Omit<UpstreamResponse, 'body'>;

/**
 * Asks a registry about content by HEAD. Where the registry does not know HEAD, a GET is asked in its place: of a blob its
 * first byte only.
 */
export async function askHead(services: Services, exchange: Exchange, question: HeadQuestion): Promise<Head> {
  const head = await sendHead(services, exchange, question);
  if (!isHeadInDoubt(services, exchange, question, head.status)) return head;
  const { kind, path, headers } = question;
  const part = kind === 'blob' ? [FIRST_BYTE] : [];
  const response = await exchange.endpoint.upstream.request({
    method: 'GET',
    path,
    headers: [...headers, ...part],
    redirects: redirectsOf(exchange.endpoint),
    throttled: throttledOf(exchange.endpoint),
  });
  reportWait(exchange, response);
  response.body.destroy();
  const answer = headOfFirstByte(response);
  settleHead(services, exchange, question, head.status, answer.status);
  return answer;
}

/** The HEAD itself; its success is remembered. */
export async function sendHead(
  services: Services,
  exchange: Exchange,
  { kind, path, headers, hurried }: HeadQuestion,
): Promise<Head> {
  const { endpoint } = exchange;
  const response = await endpoint.upstream.request({
    method: 'HEAD',
    path,
    headers,
    redirects: redirectsOf(endpoint),
    throttled: hurried ? 'pass' : throttledOf(endpoint),
    ...storageProbeOf(endpoint),
  });
  reportWait(exchange, response);
  response.body.destroy();
  if (response.status === 200) services.heads.succeeded(endpoint.upstream, kind);
  return response;
}

/**
 * Whether this refusal of a HEAD may mean HEAD instead of the content. Docker Hub counts each GET of a manifest, so that a
 * 403 or 404 is only doubted where no HEAD ever succeeded or the defect is known.
 */
export function isHeadInDoubt(services: Services, exchange: Exchange, question: HeadQuestion, status: number): boolean {
  const { fixes, upstream } = exchange.endpoint;
  if (fixes.mode(FIX) === 'off') return false;
  if (status !== 405 && status !== 501) {
    if (status !== 403 && status !== 404) return false;
    const known = services.defects.proven(upstream.name, FIX) !== undefined;
    if (!known && services.heads.trusts(upstream, question.kind, keyOf(exchange, question))) return false;
  }
  if (fixes.mode(FIX) === 'on') return true;
  reportRepair(exchange, FIX, `would have asked by GET, because HEAD was answered with ${status}`);
  return false;
}

/** Remembers what the GET said that was asked in place of a HEAD. */
export function settleHead(
  services: Services,
  exchange: Exchange,
  question: HeadQuestion,
  headStatus: number,
  status: number,
): void {
  const { upstream } = exchange.endpoint;
  if (status === 200) {
    services.defects.prove(upstream.name, FIX);
    reportRepair(exchange, FIX, 'asked by GET, because HEAD was refused');
  } else if (status === headStatus) {
    services.heads.refusedAlike(keyOf(exchange, question));
  }
}

function keyOf({ endpoint, caller }: Exchange, { kind, path }: HeadQuestion): string {
  return JSON.stringify([endpoint.upstream.name, kind, path, caller.identity]);
}
