/** Claims by name; those inside of others by path, as in `kubernetes.io/serviceaccount/name`. */
export type FlatClaims = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 6;

/** Makes one level of all claims, so that each has a name. */
export function flattenClaims(claims: Readonly<Record<string, unknown>>): FlatClaims {
  const flat = new Map<string, unknown>();
  const add = (value: unknown, path: readonly string[]): void => {
    const name = path.join('/');
    if (isObject(value) && path.length < MAX_DEPTH) {
      for (const [key, member] of Object.entries(value)) add(member, [...path, key]);
    } else if (path.length === 1 || !flat.has(name)) flat.set(name, value);
  };
  for (const [key, value] of Object.entries(claims)) add(value, [key]);
  // A Map first, because a claim may be called like a member that every object has.
  return Object.fromEntries(flat);
}

/** The name of the first claim that is not as it must be; undefined when all are. */
export function claimThatFails(
  claims: FlatClaims,
  rules: Readonly<Record<string, readonly string[]>>,
): string | undefined {
  return Object.keys(rules).find((name) => {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return !values.some((one) => isPlain(one) && rules[name]?.some((pattern) => matches(pattern, String(one))));
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** Whether a text is as a pattern says, in which `*` stands for any text. Takes no longer for a text that was made for that. */
function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - at >= last.length && text.endsWith(last);
}
