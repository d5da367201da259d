import { readFile, stat } from 'node:fs/promises';
import type { PasswordFile, PasswordUsers } from '../domain/authentication.ts';
import { parseHtpasswd } from '../domain/htpasswd.ts';
import type { Log } from '../lib/logger.ts';
import { singleFlight } from '../lib/single-flight.ts';
import { describeSystemError } from '../lib/system-error.ts';

/** The users of a file as it is now, or as it was before somebody broke it. */
export interface LivePasswordFile {
  users(): Promise<PasswordUsers>;
  /** What a reload read from the file. */
  replace(users: PasswordUsers): void;
}

/** Looking costs next to nothing, and works where notifications do not: network file systems, swapped symbolic links. */
const LOOK_EVERY = 1_000;

/** @param now milliseconds of a clock that nobody sets */
export function openPasswordFile(file: PasswordFile, now: () => number, log: Log): LivePasswordFile {
  const { path } = file;
  const looking = singleFlight<void>();
  let { users } = file;
  let state: string | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let complaint: string | undefined;

  async function look(): Promise<void> {
    try {
      const found = await stateOf(path);
      if (found === state) return;
      const content = parseHtpasswd(await readFile(path, 'utf8'));
      state = found;
      if ('users' in content) {
        complaint = undefined;
        if (!isSame(users, content.users)) log('info', 'the file of passwords was read again', { path });
        users = content.users;
        return;
      }
      complain(content.mistakes.map(({ line, problem }) => `line ${line} ${problem}`).join('; '));
    } catch (error) {
      state = undefined;
      complain(describeSystemError(error));
    }
  }

  function complain(problem: string): void {
    if (problem === complaint) return;
    complaint = problem;
    log('warn', 'the file of passwords cannot be used; the users that it had before stay', { path, problem });
  }

  return {
    async users() {
      if (now() - lookedAt >= LOOK_EVERY) {
        await looking(path, look);
        lookedAt = now();
      }
      return users;
    },
    replace(next) {
      users = next;
      state = undefined;
    },
  };
}

/** What changes whenever the content does; a file that replaces another one has a number of its own. */
async function stateOf(path: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [ino, size, mtimeNs, ctimeNs].join(' ');
}

function isSame(one: PasswordUsers, other: PasswordUsers): boolean {
  return one.size === other.size && [...one].every(([user, hash]) => other.get(user) === hash);
}
