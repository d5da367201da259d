import type { Recognised } from './authentication.ts';
import type { Action } from './principal.ts';

/** A scope of which something was granted (distribution, "Token Scope Documentation"). */
export interface GrantedScope {
  /** In the client's names, as it asked. */
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
  /** What that is to the endpoint: actions, and the upstream's name of a repository; without one it is the catalogue. */
  readonly covers: readonly Action[];
  readonly repository?: string;
}

/** A token of manifix's own, and when it ends. */
export interface IssuedToken {
  readonly token: string;
  /** In milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly until: number;
}

/** Gives out tokens in the name of an endpoint, and takes back those with which new ones are fetched. */
export interface TokenIssuer {
  /** A short-lived one that is good for these scopes. */
  issue(who: Recognised, scopes: readonly GrantedScope[]): Promise<IssuedToken>;
  /** One with which its owner gets others in place of a password. */
  issueRefresh(who: Recognised): Promise<IssuedToken>;
  /** Whom a token of that kind belongs to; undefined when it is none, has ended, or its owner would not be recognised now. */
  refresh(token: string): Promise<Recognised | undefined>;
}
