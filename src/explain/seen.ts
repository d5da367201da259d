import { createHash } from 'node:crypto';
import { parseErrors } from '../domain/errors.ts';
import { type HeaderList, headerValue, headerValues } from '../domain/headers.ts';
import { inspectManifest, type ManifestShape } from '../domain/manifest.ts';

/** One request as a client sends it. */
export interface ClientRequest {
  readonly method: 'GET' | 'HEAD';
  /** Path and query. */
  readonly target: string;
  readonly headers: HeaderList;
}

/** An answer as it came, from the registry or from manifix. */
export interface Answer {
  readonly status: number;
  readonly headers: HeaderList;
  /** Empty for HEAD. */
  readonly body: Uint8Array;
  /** The registry gave none: this is what manifix says in its place. */
  readonly isStandIn?: true;
}

/** An answer as it is told: what clients go by, and no field that may hold a secret. */
export interface SeenAnswer {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  /** The registry gave no answer, or was not asked: status and error are those of manifix. */
  readonly isStandIn?: true;
  readonly contentType?: string;
  readonly contentLength?: string;
  /** Docker-Content-Digest. */
  readonly digest?: string;
  /** The hash of the body, for GET. */
  readonly sha256?: string;
  readonly shape?: ManifestShape;
  readonly error?: { readonly code: string; readonly message?: string; readonly explanation?: string };
  readonly cacheStatus?: string;
  /** What the endpoint's policy on content did, in words. */
  readonly policy?: string;
}

/** Picks out of an answer what is worth telling. The query of the target is left out, because a token may be in it. */
export function seenAnswer(
  { method, target }: ClientRequest,
  { status, headers, body, isStandIn }: Answer,
): SeenAnswer {
  const fields = {
    isStandIn,
    contentType: headerValue(headers, 'Content-Type'),
    contentLength: headerValue(headers, 'Content-Length'),
    digest: headerValue(headers, 'Docker-Content-Digest'),
    cacheStatus: headerValue(headers, 'Cache-Status'),
    policy: headerValue(headers, 'Manifix-Policy') && warningIn(headers),
    sha256: method === 'GET' ? sha256(body) : undefined,
    shape: method === 'GET' && status === 200 ? inspectManifest(body).shape : undefined,
    error: status >= 400 ? errorIn(body) : undefined,
  };
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  // Object.fromEntries forgets the names that Object.entries gave it.
  return {
    method,
    target: pathOf(target),
    status,
    ...(Object.fromEntries(present) as Partial<typeof fields>),
  } as SeenAnswer;
}

/** The text of the last warning (distribution-spec, "Warnings"), which is that of the policy. */
function warningIn(headers: HeaderList): string | undefined {
  return /^299 - "manifix: (.*)"$/.exec(headerValues(headers, 'Warning').at(-1) ?? '')?.[1];
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function pathOf(target: string): string {
  return target.split('?', 1)[0] ?? '';
}

function errorIn(body: Uint8Array): SeenAnswer['error'] {
  const [first] = parseErrors(body) ?? [];
  if (first === undefined) return undefined;
  const { code, message, detail } = first;
  const explanation = typeof detail === 'object' && detail !== null && 'manifix' in detail ? detail.manifix : undefined;
  return {
    code,
    ...(message === undefined ? {} : { message }),
    ...(typeof explanation === 'string' ? { explanation } : {}),
  };
}
