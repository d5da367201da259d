/** What is wrong with a line of a file of passwords. */
export interface HtpasswdMistake {
  /** From 1 on. */
  readonly line: number;
  readonly problem: string;
}

export type HtpasswdContent =
  | { readonly users: ReadonlyMap<string, string> }
  | { readonly mistakes: readonly HtpasswdMistake[] };

const BCRYPT = /^\$2([aby])\$(\d{2})\$[./A-Za-z0-9]{53}$/;
/** Each step doubles the work: beyond these bcrypt is worthless, or keeps a processor busy for seconds. */
const [LEAST_COST, MOST_COST] = [4, 16];
const MAX_MISTAKES = 10;

/** Other kinds of hash that htpasswd makes, by how they begin. */
const OTHER_KINDS: readonly (readonly [RegExp, string])[] = [
  [/^\$apr1\$/, 'MD5 (apr1)'],
  [/^\{SHA\}/, 'SHA-1'],
  [/^\$1\$/, 'MD5'],
  [/^\$5\$/, 'SHA-256'],
  [/^\$6\$/, 'SHA-512'],
  [/^\$argon2/, 'argon2'],
  [/^\$2/, 'damaged bcrypt'],
];

/** Reads `user:hash` lines as `htpasswd -B` writes them; empty lines and those that begin with # count for nothing. */
export function parseHtpasswd(text: string): HtpasswdContent {
  const users = new Map<string, string>();
  const mistakes: HtpasswdMistake[] = [];
  for (const [index, written] of text.split('\n').entries()) {
    const line = written.trim();
    if (line === '' || line.startsWith('#')) continue;
    const end = line.indexOf(':');
    const [user, hash] = [line.slice(0, Math.max(end, 0)), line.slice(end + 1)];
    const problem =
      end < 1 ? 'is not "user:hash"' : users.has(user) ? `names "${user}" again` : hashProblem(user, hash);
    if (problem === undefined) users.set(user, hash);
    else mistakes.push({ line: index + 1, problem });
    if (mistakes.length === MAX_MISTAKES) break;
  }
  return mistakes.length > 0 ? { mistakes } : { users };
}

/** The problem with a line, together with the command that makes a right one; never the hash itself. */
function hashProblem(user: string, hash: string): string | undefined {
  const remedy = `make a bcrypt hash: htpasswd -B FILE ${user}`;
  const cost = BCRYPT.exec(hash)?.[2];
  if (cost !== undefined) {
    return Number(cost) >= LEAST_COST && Number(cost) <= MOST_COST
      ? undefined
      : `has a hash of cost ${Number(cost)} for "${user}", and ${LEAST_COST} to ${MOST_COST} are possible; ${remedy}`;
  }
  const kind = OTHER_KINDS.find(([pattern]) => pattern.test(hash))?.[1] ?? 'plain text or crypt';
  return `has a password in ${kind} for "${user}"; ${remedy}`;
}
