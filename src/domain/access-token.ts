/** What is known of a token that `manifix token new` made. The token itself is known to whoever got it alone. */
export interface AccessTokenRecord {
  /** Names it to operators, and proves nothing. */
  readonly id: string;
  readonly user: string;
  /** The endpoints at which it counts; undefined for all. */
  readonly endpoints?: readonly string[];
  readonly note: string;
  /** In milliseconds since the epoch. */
  readonly createdAt: number;
  /** In milliseconds since the epoch; undefined for never. */
  readonly expiresAt?: number;
}

/** Of whom an operator wants a token, and for what. */
export interface AccessTokenWish {
  readonly user: string;
  /** Undefined for all. */
  readonly endpoints?: readonly string[];
  readonly note: string;
  /** In milliseconds from now on; undefined for ever. */
  readonly lifetime?: number;
}

/** For how long a token is made when nobody says it. */
const DEFAULT_LIFETIME = '90d';

const KEYS = ['user', 'endpoints', 'note', 'expires'];
const MAX_NOTE = 200;
/** A hundred years, and far from where the calendar of JavaScript ends. */
const MAX_LIFETIME = 36_525 * 86_400_000;
/** No colon, which ends the user of Basic (RFC 7617) and is part of the users of other sources. */
const USER = /^[^\s:\p{C}]{1,100}$/u;
// Control characters would speak to terminals.
const NOTE = /^[^\p{Cc}]*$/u;

/**
 * Reads what was written of a token that is wanted: `user`, `endpoints`, `note`, and `expires`, which is a time or `never`.
 * @param parseDuration milliseconds of a time such as `90d`
 */
export function parseTokenWish(
  written: Readonly<Record<string, unknown>>,
  parseDuration: (text: string) => number | undefined,
): AccessTokenWish | { readonly wrong: string } {
  const unknown = Object.keys(written).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return { wrong: `unknown key "${unknown}"; known: ${KEYS.join(', ')}` };
  const { user, endpoints, note = '', expires = DEFAULT_LIFETIME } = written;
  if (typeof user !== 'string' || !USER.test(user)) {
    return { wrong: 'user: expected a name without spaces and colons, of at most 100 characters' };
  }
  if (endpoints !== undefined && !isNames(endpoints)) return { wrong: 'endpoints: expected a list of names' };
  if (typeof note !== 'string' || note.length > MAX_NOTE || !NOTE.test(note)) {
    return { wrong: `note: expected one line of at most ${MAX_NOTE} characters` };
  }
  const lifetime = typeof expires === 'string' && expires !== 'never' ? parseDuration(expires) : undefined;
  if (expires !== 'never' && (lifetime === undefined || lifetime <= 0 || lifetime > MAX_LIFETIME)) {
    return { wrong: 'expires: expected a time such as 90d, of at most a hundred years, or never' };
  }
  return { user, note, ...(endpoints && { endpoints }), ...(lifetime !== undefined && { lifetime }) };
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string');
}
