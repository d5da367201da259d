import type { RegistryError } from './errors.ts';
import type { Action, Principal } from './principal.ts';

/** What a request shows of who sends it. */
export interface Shown {
  /** The value of `Authorization`; empty when there are several. */
  readonly authorization?: string;
  /** A certificate that an authority of `tls.clientAuthorities` vouches for. */
  readonly certificate?: ClientCertificate;
  /** Of the client, not of a trusted proxy in front of manifix. */
  readonly address: string;
}

export interface ClientCertificate {
  /** The common name of its subject. */
  readonly name: string;
  /** When it ends, in milliseconds since the epoch. */
  readonly until: number;
}

/** Who was recognised. */
export interface Recognised {
  readonly principal: Principal;
  /** When the proof ends, in milliseconds since the epoch. */
  readonly until?: number;
  /**
   * Stands for the credentials that were shown, without revealing them: `holds` says with it whether they are still good.
   * Undefined for a client that showed none.
   */
  readonly proof?: string;
  /** What the credentials were given out for, where they are good for less than their owner's rights. */
  readonly covers?: Coverage;
}

/**
 * Whether credentials are good for an action, by the upstream's name of the repository, or for the catalogue without one;
 * whether their owner may is another question.
 */
export type Coverage = (action: Action, repository: string | undefined) => boolean;

/** Who it is, or why that is not known: `UNAUTHORIZED`, to which a challenge belongs, or `TOOMANYREQUESTS`. */
export type Authenticated = Recognised | { readonly refused: RegistryError };

/** Finds out who the clients of one endpoint are. */
export interface Authentication {
  /** Never rejects. A request that shows nothing is one of nobody in particular. */
  authenticate(shown: Shown): Promise<Authenticated>;
  /**
   * Whether credentials that were recognised once would be now: the user is there, the password the same, the token not
   * revoked.
   * @param proof as it was given then
   */
  holds(proof: string): boolean | Promise<boolean>;
}

/** The ways in which clients of an endpoint may show who they are. */
export interface AuthenticationSettings {
  readonly htpasswd?: PasswordFile;
  /** Whether tokens of `manifix token new` count. */
  readonly tokens: boolean;
  readonly oidc: readonly TrustedIssuer[];
  readonly certificates: boolean;
}

/** A file of `htpasswd -B`, and the users that were in it when the configuration was read. */
export interface PasswordFile {
  readonly path: string;
  readonly users: PasswordUsers;
}

/** bcrypt hashes by user. */
export type PasswordUsers = ReadonlyMap<string, string>;

/** Whose OpenID tokens count, and which of them. */
export interface TrustedIssuer {
  /** What its users and groups begin with: `ci` for `ci:repo:acme/app`. */
  readonly name: string;
  /** As in the tokens' `iss`. */
  readonly issuer: string;
  readonly audience: string;
  /** The claim that names the user. */
  readonly user: string;
  /** The claim that lists groups. */
  readonly groups?: string;
  /** What claims must be: one of the patterns, in which `*` stands for any text. */
  readonly claims: Readonly<Record<string, readonly string[]>>;
  /** Authorities that vouch for the issuer's server besides those that Node knows, in PEM. */
  readonly ca?: Uint8Array;
}
