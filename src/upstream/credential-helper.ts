import { execFile } from 'node:child_process';
import type { CredentialHelper, Login } from '../domain/credentials.ts';
import { RegistryError } from '../domain/errors.ts';
import { describeSystemError } from '../lib/system-error.ts';

const TIMEOUT = 10_000;
const MAX_OUTPUT = 64 * 1024;

/** The user name with which helpers say that the secret is a refresh token (docker-credential-helpers, "README"). */
const TOKEN_USER = '<token>';

/**
 * Asks a credential helper as docker does: `get` as its argument, the server on standard input, JSON on standard output.
 * What the program prints is in no error, because it may be a secret.
 */
export async function askHelper({ program, server }: CredentialHelper): Promise<Login> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const options = { timeout: TIMEOUT, maxBuffer: MAX_OUTPUT, killSignal: 'SIGKILL' as const };
  const child = execFile(program, ['get'], options, (error, stdout) => {
    if (error === null) resolve(stdout);
    else reject(helperFailed(program, server, reasonOf(error)));
  });
  // A program that ends without reading is told by its exit code.
  child.stdin?.on('error', () => {});
  child.stdin?.end(server);
  const login = loginIn(await promise);
  if (login === undefined) throw helperFailed(program, server, 'printed something else than a user name and a secret');
  return login;
}

function reasonOf(error: Error & { code?: unknown; killed?: boolean }): string {
  if (error.killed === true) return `did not answer within ${TIMEOUT / 1000} seconds`;
  if (typeof error.code === 'number') return `ended with exit code ${error.code}`;
  return `could not be run: ${describeSystemError(Object.assign(new Error('it failed'), { code: error.code }))}`;
}

function loginIn(text: string): Login | undefined {
  try {
    const { Username: username, Secret: secret } = JSON.parse(text) as { Username?: unknown; Secret?: unknown };
    if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') return undefined;
    return username === TOKEN_USER ? { username, identityToken: secret } : { username, password: secret };
  } catch {
    return undefined;
  }
}

function helperFailed(program: string, server: string, reason: string): RegistryError {
  return new RegistryError('UNAVAILABLE', {
    status: 502,
    message: `the credential helper ${program} ${reason}`,
    explanation: `manifix asks ${program} for its credentials at ${server}, and the program ${reason}. Try it by hand: echo ${server} | ${program} get`,
    fix: 'credential-leakage',
  });
}
