import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Authentication } from '../domain/authentication.ts';
import type { ContentPolicy, PolicyMark } from '../domain/content-policy.ts';
import type { RegistryError } from '../domain/errors.ts';
import type { HeaderList } from '../domain/headers.ts';
import type { TokenIssuer } from '../domain/own-token.ts';
import type { Action, Principal } from '../domain/principal.ts';
import type { RepositoryPolicy } from '../domain/repository-policy.ts';
import type { Rights } from '../domain/rights.ts';
import type { TagPolicy } from '../domain/tag-policy.ts';
import type { FixMode, RequestView } from '../fixes/fix.ts';
import type { AppliedFix, FixSet, ManifestOutcome } from '../fixes/run.ts';
import type { BlobReader, CacheStatus, CanonicalManifest, Upstream } from './ports.ts';
import type { Allowance, FillShare, Limiter } from './ports-limits.ts';

/** What clients talk to: an upstream and the fixes that stand in front of it. */
export interface Endpoint {
  readonly name: string;
  readonly upstream: Upstream;
  readonly fixes: FixSet;
  /** The repositories that it serves, by the upstream's names. */
  readonly policy: RepositoryPolicy;
  /** Whether it takes nothing but GET and HEAD. */
  readonly readOnly: boolean;
  /** Who may use it, and for what; undefined where the registry alone decides. */
  readonly guard?: Guard;
  /** How names of one component are treated; `off` for any registry but the Docker Hub. */
  readonly libraryPrefix: FixMode;
  /** Origins of token services that the operator allows besides those of the registry's own site. */
  readonly realms: readonly string[];
  /** How long what is known of tags is believed. */
  readonly freshness: TagPolicy;
  /** What is refused, fixed or held back; undefined where nothing is. */
  readonly content?: ContentPolicy;
  /** Undefined when it limits nothing. */
  readonly limits?: Limiter | undefined;
  /** What the fixes made of stored manifests, by method and tag. */
  readonly prepared: WeakMap<CanonicalManifest, Map<string, ManifestOutcome>>;
}

/** How an endpoint finds out who is asking, and what he may do. */
export interface Guard {
  readonly authentication: Authentication;
  readonly rights: Rights;
  /** What clients without credentials are asked for. */
  readonly challenge: 'bearer' | 'basic';
  readonly tokens: TokenIssuer;
}

/** Who is asking, as the registry sees it. `identity` stands for the credentials and does not reveal them. */
export interface Caller {
  readonly identity: string;
  /** Whether it may what everybody may: it shows no credentials, or a token that everybody gets. */
  readonly anonymous: boolean;
  /** Why it got no token, while nobody could be asked for one: that the registry wants one says nothing then. */
  readonly withoutToken?: RegistryError;
}

/** One request and what becomes known about it on its way. */
export interface Exchange {
  /** Of the request, as in its log line. */
  readonly id: string;
  /** Where the request came from, as far as proxies in between are believed. */
  readonly address: string;
  readonly endpoint: Endpoint;
  readonly caller: Caller;
  /** Who is asking, as manifix sees it: nobody in particular where the endpoint has no guard. */
  readonly principal: Principal;
  /** Whether this request may do that, too, with another repository of the endpoint, by the upstream's name. */
  readonly may: (action: Action, repository: string) => boolean;
  /** Whether the catalogue shows a repository to this client, by the upstream's name. */
  readonly shows: (repository: string) => boolean;
  /** The request as the client sent it. */
  readonly request: RequestView;
  /** `http://host:port` as the client sees manifix. */
  readonly clientOrigin: string;
  /** Who uses up limits: the user, or the address of one who has no name. */
  readonly client: string;
  /** What the endpoint's limits leave to this request; undefined when it limits nothing. */
  readonly allowance?: Allowance | undefined;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** Only for bodies: the pass-through and buffered pushes read them. */
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly applied: AppliedFix[];
}

/** Why an answer is not the registry's word of now. */
export type StaleReason =
  | 'registry-unavailable'
  | 'registry-slow'
  | 'rate-limit'
  | 'refreshing'
  | 'no-token'
  | 'account-refused';

export type AnswerBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'blob'; readonly reader: BlobReader }
  | { readonly kind: 'stream'; readonly stream: Readable };

/** What the edge sends. For HEAD the headers are those of the GET and the body is `none`. */
export interface Answer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: AnswerBody;
  readonly cache?: CacheStatus;
  /** For the cache status `stale`. */
  readonly staleReason?: StaleReason;
  /** Whether a `miss` was stored. */
  readonly stored?: boolean;
  /** What the endpoint's policy on content did. */
  readonly policy?: PolicyMark;
  /** Until when the very same request may get the same answer without asking anybody, in milliseconds since the epoch. */
  readonly reusableUntil?: number;
}

/** Which redirects are followed for the client: all, those within the registry, or none. */
export function redirectsOf({ fixes }: Endpoint): 'follow' | 'own' | 'pass' {
  if (fixes.mode('redirect-auth-leak-400') === 'on') return 'follow';
  return fixes.mode('unreachable-redirect-or-location') === 'on' ? 'own' : 'pass';
}

/** What a HEAD says about storage that refuses it. */
export function storageProbeOf({ fixes }: Endpoint): { readonly probeStorage: boolean } {
  return { probeStorage: fixes.mode('head-presigned-403') === 'on' };
}

/** Whether the registry's limits are waited for or passed on. */
export function throttledOf(endpoint: Endpoint): 'wait' | 'pass' {
  return endpoint.fixes.mode('rate-limit-429') === 'on' ? 'wait' : 'pass';
}

/** On whose account a download for this request runs. */
export function fillShareOf({ endpoint, client, allowance }: Exchange): FillShare {
  const enter = allowance?.enterFill;
  return { group: endpoint.name, client, ...(enter && { enter }) };
}

export const NO_BODY: AnswerBody = { kind: 'none' };

/** For how long an answer may be repeated: so short that a right that ends or a tag that moves is noticed at once; in milliseconds. */
export const REUSABLE_FOR = 1_000;
