import { type HeaderList, withoutHeaders } from './headers.ts';

/** A program that knows a secret (`docker-credential-<helper>`), and the server that it is asked about. */
export interface CredentialHelper {
  readonly program: string;
  readonly server: string;
}

/**
 * Whose right counts at a registry: that of each caller (`passthrough`), that of nobody (`none`), or the registry knows
 * manifix by an account of its own.
 */
export type UpstreamCredentials =
  | { readonly kind: 'passthrough' }
  | { readonly kind: 'none' }
  | ({ readonly kind: 'login' } & Login)
  | ({ readonly kind: 'helper' } & CredentialHelper);

/** What a registry or its token service takes: a password, or the refresh token of an earlier login (OAuth 2). */
export type Login =
  | { readonly username: string; readonly password: string }
  | { readonly username: string; readonly identityToken: string };

/** As whom manifix asks, without any secret; undefined where it asks as each caller. */
export function describeAccount(credentials: UpstreamCredentials): string | undefined {
  switch (credentials.kind) {
    case 'passthrough':
      return undefined;
    case 'none':
      return 'without credentials';
    case 'login':
      return `as ${credentials.username}`;
    case 'helper':
      return `with ${credentials.program}`;
  }
}

/** The fields of a request by which clients prove their right: those of HTTP, and those that GitLab and Artifactory take in their place. */
const CREDENTIAL_FIELDS: ReadonlySet<string> = new Set([
  ...['authorization', 'cookie'],
  ...['private-token', 'job-token', 'deploy-token', 'x-jfrog-art-api', 'x-api-key', 'x-auth-token'],
]);

/** What a client says about itself to prove its right. */
export function credentialsIn(headers: HeaderList): HeaderList {
  return headers.filter(([name]) => isCredentialField(name));
}

/** The fields of a request without what a client says about itself to prove its right. */
export function withoutCredentials(headers: HeaderList): HeaderList {
  return headers.filter(([name]) => !isCredentialField(name));
}

/** Whether a field of this name proves a client's right. */
export function isCredentialField(name: string): boolean {
  return CREDENTIAL_FIELDS.has(name.toLowerCase());
}

/**
 * The fields of an answer that clients may see when the registry was not asked in their name: neither the session that it
 * opened, nor its wish for credentials, which nobody would pass on.
 */
export function withoutSession(headers: HeaderList): HeaderList {
  return withoutHeaders(headers, 'Set-Cookie', 'WWW-Authenticate');
}

/** The value of `Authorization` for a name and a password (RFC 7617). */
export function basicAuthorization(username: string, password: string): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
