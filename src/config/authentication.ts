import { readFileSync } from 'node:fs';
import type { AuthenticationSettings, PasswordFile, TrustedIssuer } from '../domain/authentication.ts';
import { parseHtpasswd } from '../domain/htpasswd.ts';
import { describeSystemError } from '../lib/system-error.ts';
import { type Outcome, readAuthorities } from './certificate.ts';
import type { Mistake } from './mistakes.ts';
import type { WrittenAuth } from './schema-auth.ts';
import type { Path } from './schema-keys.ts';

type WrittenIssuer = WrittenAuth['oidc'][number];

/** How clients of each endpoint log in, with what is in files, or what is wrong with those. */
export function readAuthentication(
  endpoints: readonly { readonly auth?: WrittenAuth | undefined }[],
): { readonly read: readonly (AuthenticationSettings | undefined)[] } | { readonly mistakes: readonly Mistake[] } {
  const outcomes = endpoints.map(({ auth }, index) => readOne(auth, ['endpoints', index, 'auth']));
  const mistakes = outcomes.flatMap((outcome) => ('mistakes' in outcome ? outcome.mistakes : []));
  if (mistakes.length > 0) return { mistakes };
  return { read: outcomes.map((outcome) => ('value' in outcome ? outcome.value : undefined)) };
}

function readOne(auth: WrittenAuth | undefined, path: Path): Outcome<AuthenticationSettings> {
  if (auth === undefined) return { value: undefined };
  const { htpasswd: file, tokens, certificates } = auth;
  const passwords = readPasswords(file, [...path, 'htpasswd']);
  const issuers = auth.oidc.map((entry, index) => readIssuer(entry, [...path, 'oidc', index, 'ca']));
  const mistakes = [passwords, ...issuers].flatMap((outcome) => ('mistakes' in outcome ? outcome.mistakes : []));
  if (mistakes.length > 0 || 'mistakes' in passwords) return { mistakes };
  const htpasswd = passwords.value;
  const oidc = issuers.flatMap((issuer) => ('value' in issuer && issuer.value !== undefined ? [issuer.value] : []));
  return { value: { ...(htpasswd && { htpasswd }), tokens, oidc, certificates } };
}

function readPasswords(path: string | undefined, at: Path): Outcome<PasswordFile> {
  if (path === undefined) return { value: undefined };
  try {
    const content = parseHtpasswd(readFileSync(path, 'utf8'));
    if ('users' in content) return { value: { path, users: content.users } };
    return {
      mistakes: content.mistakes.map(({ line, problem }) => ({
        path: at,
        message: `${path}, line ${line}: ${problem}`,
      })),
    };
  } catch (error) {
    return { mistakes: [{ path: at, message: `${path} cannot be read: ${describeSystemError(error)}` }] };
  }
}

function readIssuer({ ca: file, groups, ...rest }: WrittenIssuer, path: Path): Outcome<TrustedIssuer> {
  const outcome = readAuthorities(file, path);
  if ('mistakes' in outcome) return outcome;
  return { value: { ...rest, ...(groups && { groups }), ...(outcome.value && { ca: outcome.value }) } };
}
