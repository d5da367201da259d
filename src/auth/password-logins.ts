import { hash } from 'node:crypto';
import type { Authenticated, PasswordFile, PasswordUsers, Recognised } from '../domain/authentication.ts';
import type { Log } from '../lib/logger.ts';
import { type LivePasswordFile, openPasswordFile } from './password-file.ts';
import { createPasswords, type PasswordOptions } from './passwords.ts';
import { tooManyWrong, wrongPassword } from './refusals.ts';

/** Logins at one endpoint with the passwords of its file. */
export interface PasswordLogin {
  check(user: string, password: string, address: string): Promise<Authenticated>;
  /** Whether the user still has the password whose fingerprint a proof has. */
  holds(print: string, user: string): Promise<boolean>;
}

/** Logins with passwords at all endpoints: guesses are counted together, and each file is read once. */
export interface PasswordLogins {
  of(endpoint: string, file: PasswordFile): PasswordLogin;
}

export function createPasswordLogins(options: PasswordOptions & { readonly log: Log }): PasswordLogins {
  const passwords = createPasswords(options);
  const files = new Map<string, LivePasswordFile>();
  const recognised = new WeakMap<PasswordUsers, Map<string, Recognised>>();

  function live(file: PasswordFile): LivePasswordFile {
    const known = files.get(file.path);
    known?.replace(file.users);
    const opened = known ?? openPasswordFile(file, options.now, options.log);
    files.set(file.path, opened);
    return opened;
  }

  /** One object for one user, so that what follows from it need not be found out again for each request. */
  function recognise(users: PasswordUsers, user: string): Recognised {
    const known = recognised.get(users) ?? new Map<string, Recognised>();
    recognised.set(users, known);
    const found = known.get(user);
    if (found !== undefined) return found;
    const proof = `htpasswd ${fingerprint(users.get(user))} ${user}`;
    const made: Recognised = { principal: { method: 'htpasswd', user, groups: [], claims: {} }, proof };
    known.set(user, made);
    return made;
  }

  return {
    of(endpoint, file) {
      const opened = live(file);
      return {
        async check(user, password, address) {
          const users = await opened.users();
          const outcome = await passwords.check(file.path, users, { user, password, address });
          if (outcome === 'wrong') return wrongPassword({ endpoint, user });
          if (outcome !== 'right') return tooManyWrong({ endpoint, user }, outcome.pause);
          return recognise(users, user);
        },
        holds: async (print, user) => print === fingerprint((await opened.users()).get(user)),
      };
    },
  };
}

/** Tells one password's hash from the next; undefined for a user who is gone. */
function fingerprint(passwordHash: string | undefined): string | undefined {
  return passwordHash && hash('sha256', passwordHash, 'base64url');
}
