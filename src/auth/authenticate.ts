import { hash } from 'node:crypto';
import type {
  Authenticated,
  Authentication,
  AuthenticationSettings,
  PasswordFile,
  Shown,
} from '../domain/authentication.ts';
import { RegistryError } from '../domain/errors.ts';
import { ANONYMOUS } from '../domain/principal.ts';
import { type Credentials, parseAuthorization } from './authorization.ts';
import { type LivePasswordFile, type Log, openPasswordFile } from './password-file.ts';
import { createPasswords, type PasswordOptions } from './passwords.ts';

export interface AuthenticationOptions extends PasswordOptions {
  readonly log: Log;
}

/** What is known of clients, beyond the configuration of the moment: a reload forgets no wrong password. */
export interface Authentications {
  /** How clients of an endpoint are told apart from now on. */
  of(endpoint: string, settings: AuthenticationSettings): Authentication;
}

export function createAuthentications(options: AuthenticationOptions): Authentications {
  const passwords = createPasswords(options);
  const files = new Map<string, LivePasswordFile>();

  function fileOf(file: PasswordFile): LivePasswordFile {
    const known = files.get(file.path);
    known?.replace(file.users);
    const opened = known ?? openPasswordFile(file, options.now, options.log);
    files.set(file.path, opened);
    return opened;
  }

  return {
    of(endpoint, { htpasswd, certificates }) {
      const file = htpasswd && fileOf(htpasswd);

      async function byPassword(user: string, password: string, address: string): Promise<Authenticated> {
        if (htpasswd === undefined || file === undefined) return refused(endpoint, 'takes no passwords');
        const outcome = await passwords.check(htpasswd.path, await file.users(), { user, password, address });
        if (outcome === 'wrong') return { refused: wrongPassword(endpoint) };
        if (outcome !== 'right') return { refused: tooManyWrong(outcome.pause) };
        const proof = `htpasswd ${fingerprint((await file.users()).get(user))} ${user}`;
        return { principal: { method: 'htpasswd', user, groups: [], claims: {} }, proof };
      }

      async function byCredentials(credentials: Credentials, address: string): Promise<Authenticated> {
        return credentials.scheme === 'basic'
          ? byPassword(credentials.user, credentials.password, address)
          : refused(endpoint, 'does not know this token');
      }

      return {
        async authenticate({ authorization, certificate, address }: Shown) {
          if (authorization !== undefined) {
            const credentials = parseAuthorization(authorization);
            if (credentials === undefined)
              return refused(endpoint, 'reads neither more nor less than Basic and Bearer');
            return byCredentials(credentials, address);
          }
          if (certificates && certificate !== undefined) {
            const { name, until } = certificate;
            const principal = { method: 'certificate', user: `cert:${name}`, groups: [], claims: {} } as const;
            return { principal, until, proof: 'certificate' };
          }
          return { principal: ANONYMOUS };
        },
        async holds(proof) {
          const [, way, print, user = ''] = /^(\S+) ?(\S*) ?(.*)$/s.exec(proof) ?? [];
          if (way === 'htpasswd') return print === fingerprint((await file?.users())?.get(user));
          return way === 'certificate' && certificates;
        },
      };
    },
  };
}

/** Tells one password's hash from the next; undefined for a user who is gone. */
function fingerprint(passwordHash: string | undefined): string | undefined {
  return passwordHash && hash('sha256', passwordHash, 'base64url');
}

function refused(endpoint: string, why: string): Authenticated {
  return {
    refused: new RegistryError('UNAUTHORIZED', { explanation: `The endpoint "${endpoint}" of manifix ${why}.` }),
  };
}

/** The same for users that there are and for others. */
function wrongPassword(endpoint: string): RegistryError {
  return new RegistryError('UNAUTHORIZED', {
    explanation: `The user name or the password is wrong at the endpoint "${endpoint}" of manifix.`,
  });
}

function tooManyWrong(pause: number): RegistryError {
  const seconds = Math.ceil(pause / 1_000);
  return new RegistryError('TOOMANYREQUESTS', {
    message: 'too many wrong passwords',
    explanation: `There were too many wrong passwords for this user or from this address. Try again in ${seconds} s.`,
    headers: [['Retry-After', String(seconds)]],
  });
}
