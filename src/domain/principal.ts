/** How a client showed who it is. */
export type AuthenticationMethod = 'anonymous' | 'htpasswd' | 'token' | 'oidc' | 'certificate';

/**
 * Who a client is to manifix. Names of different sources never meet: an OIDC issuer and client certificates have prefixes of
 * their own (`ci:repo:acme/app`, `cert:builder`), htpasswd and tokens name the plain user.
 */
export interface Principal {
  readonly method: AuthenticationMethod;
  /** Undefined for a client that showed no credentials. */
  readonly user?: string;
  readonly groups: readonly string[];
  /** Of a verified OIDC token, by `<entry>:<claim>`. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** A client without credentials. */
export const ANONYMOUS: Principal = { method: 'anonymous', groups: [], claims: {} };

export const ACTIONS = ['pull', 'push', 'delete', 'list'] as const;
/** What a client may want to do with a repository. */
export type Action = (typeof ACTIONS)[number];
