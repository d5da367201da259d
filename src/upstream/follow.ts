import { type HeaderList, withHeader } from '../domain/headers.ts';
import { MAX_REDIRECTS } from '../domain/redirect.ts';
import { forwardableHeaders } from '../lib/forwardable-headers.ts';
import { ask, askFirstByte, drain } from './ask.ts';
import type { UpstreamAnswered, UpstreamRequest, UpstreamResponse } from './messages.ts';
import { isRedirect, mayFollow, redirectTarget, refusesHead, tooManyRedirects } from './redirects.ts';
import type { Hop, HopAnswer, Wire } from './send.ts';

export interface FollowerOptions {
  readonly name: string;
  /** The registry as the subject of a sentence. */
  readonly who: string;
  readonly origin: string;
  /** Stands in front of `/v2/`. */
  readonly basePath: string;
  readonly wire: Wire;
  /** Whether the registry may lead to this host. */
  readonly allowsHost: (hostname: string) => boolean;
  readonly onAnswer: ((answer: UpstreamAnswered) => void) | undefined;
}

/** Sends a request with these fields, whatever its own are, and goes where the registry redirects, as far as it wants that. */
export type Follow = (asked: UpstreamRequest, fields: HeaderList) => Promise<UpstreamResponse>;

export function createFollower(options: FollowerOptions): Follow {
  const { name, who, origin, wire, allowsHost, onAnswer } = options;

  async function answerOf(hop: Hop, isFirst: boolean, asked: UpstreamRequest): Promise<HopAnswer & { probed?: true }> {
    const whom = isFirst ? who : `${hop.origin}, to which the registry ${name} redirects,`;
    const answer = await ask(wire, hop, whom);
    if (isFirst) asked.onFirstAnswer?.(answer);
    const probing = asked.probeStorage === true && hop.origin !== origin && refusesHead(hop.method, answer);
    return probing ? { ...(await askFirstByte(wire, hop, whom, answer)), probed: true } : answer;
  }

  return async (asked, fields) => {
    const started = performance.now();
    let hop = firstHop(options, asked, fields);
    for (let followed = 0; ; followed += 1) {
      const answer = await answerOf(hop, followed === 0, asked);
      if (!isRedirect(hop.method, answer) || !mayFollow(asked.redirects ?? 'follow', hop, answer)) {
        const { method, origin: answering } = hop;
        const { status } = answer;
        const redirected = followed > 0;
        const seconds = (performance.now() - started) / 1000;
        onAnswer?.({ upstream: name, method, origin: answering, status, seconds, redirected });
        return { ...answer, redirected };
      }
      drain(answer.body);
      if (followed === MAX_REDIRECTS) throw tooManyRedirects(who, hop);
      hop = redirectTarget(who, hop, answer, allowsHost);
    }
  };
}

/** The request as the registry gets it: for the plain bytes, whose digest is asked for, and without fields of the client's connection. */
function firstHop(
  { origin, basePath }: FollowerOptions,
  { method, path, body, signal }: UpstreamRequest,
  fields: HeaderList,
): Hop {
  return {
    origin,
    path: basePath + path,
    method,
    headers: withHeader(forwardableHeaders(fields), 'Accept-Encoding', 'identity'),
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  };
}
