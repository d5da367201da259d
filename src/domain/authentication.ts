import type { RegistryError } from './errors.ts';
import type { Principal } from './principal.ts';

/** What a request shows of who sends it. */
export interface Shown {
  /** The value of `Authorization`. */
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

/** Who it is, or why that is not known: `UNAUTHORIZED`, to which a challenge belongs, or `TOOMANYREQUESTS`. */
export type Authenticated =
  | {
      readonly principal: Principal;
      /** When the proof ends, in milliseconds since the epoch. */
      readonly until?: number;
    }
  | { readonly refused: RegistryError };

/** Finds out who the clients of one endpoint are. */
export interface Authentication {
  /** Never rejects. A request that shows nothing is one of nobody in particular. */
  authenticate(shown: Shown): Promise<Authenticated>;
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
