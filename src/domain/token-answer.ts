/** What a token service gave out. */
export interface GivenToken {
  readonly token: string;
  /** In seconds. */
  readonly lifetime: number;
}

/** The lifetime of a token that comes without one, in seconds (distribution, "Token Authentication Specification"). */
const DEFAULT_LIFETIME = 60;

/** Docker's services say `token`, those of OAuth 2 `access_token`, and some say both, one of them empty. */
const NAMES = ['token', 'access_token'] as const;

const NO_POST: ReadonlySet<number> = new Set([404, 405, 415, 501]);

/** Whether a token service that answers a POST (OAuth 2) like this has to be asked by GET. */
export function knowsGetOnly(status: number): boolean {
  return NO_POST.has(status);
}

/** Reads the answer of a token service; undefined when there is no token in it that a header field can carry. */
export function parseTokenAnswer(text: string): GivenToken | undefined {
  const answer = objectIn(text);
  const token = answer === undefined ? undefined : tokenOf(answer);
  if (answer === undefined || token === undefined || !/^[\x21-\x7e]+$/.test(token)) return undefined;
  const seconds = Number(answer.expires_in);
  return { token, lifetime: seconds > 0 ? seconds : DEFAULT_LIFETIME };
}

/** The answer with the token under both names and with its lifetime; undefined when nothing is missing, or there is no token. */
export function completeTokenAnswer(text: string): string | undefined {
  const answer = objectIn(text);
  const given = parseTokenAnswer(text);
  if (answer === undefined || given === undefined) return undefined;
  const missing = NAMES.filter((name) => answer[name] !== given.token && (answer[name] ?? '') === '');
  if (missing.length === 0 && answer.expires_in !== undefined) return undefined;
  const names = Object.fromEntries(missing.map((name) => [name, given.token]));
  return JSON.stringify({ ...answer, ...names, expires_in: answer.expires_in ?? given.lifetime });
}

function tokenOf(answer: Readonly<Record<string, unknown>>): string | undefined {
  return NAMES.map((name) => answer[name]).find((value) => typeof value === 'string' && value !== '') as
    | string
    | undefined;
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
