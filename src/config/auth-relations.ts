import type { Mistake } from './mistakes.ts';
import { nameMistake } from './names.ts';
import { isMap, valueAt, type WrittenMap } from './written.ts';

/** What `auth` of the endpoints must agree on with other keys. */
export function authenticationMistakes(written: WrittenMap, endpoints: readonly WrittenMap[]): readonly Mistake[] {
  const issuers = new Map<string, unknown>();
  return endpoints.flatMap(({ auth, upstream }, index) => {
    if (!isMap(auth)) return [];
    const path = ['endpoints', index, 'auth'];
    return [
      ...(hasWay(auth) ? [] : [{ path, message: NO_WAY }]),
      ...passthroughMistakes(written, upstream).map((message) => ({ path, message })),
      ...(isOn(auth.certificates) && valueAt(written, ['tls', 'clientAuthorities']) === undefined
        ? [{ path: [...path, 'certificates'], message: NO_AUTHORITIES }]
        : []),
      ...issuerMistakes(auth.oidc, issuers, index),
    ];
  });
}

const NO_WAY =
  'names no way to log in: set htpasswd, tokens, oidc or certificates, or leave auth out for an endpoint that is open to everybody';
const NO_AUTHORITIES =
  'needs tls.clientAuthorities: a file with the certificates of the authorities that sign for clients';

function hasWay({ htpasswd, tokens, oidc, certificates }: WrittenMap): boolean {
  const issuers = Array.isArray(oidc) ? oidc.length > 0 : oidc !== undefined;
  return htpasswd !== undefined || isOn(tokens) || issuers || isOn(certificates);
}

function isOn(written: unknown): boolean {
  return written !== undefined && written !== false && written !== 'false';
}

/** A client has one `Authorization`: it is either for manifix or for the registry. */
function passthroughMistakes(written: WrittenMap, upstream: unknown): readonly string[] {
  const upstreams = valueAt(written, ['upstreams']);
  const only = isMap(upstreams) ? Object.keys(upstreams)[0] : undefined;
  const name = typeof upstream === 'string' ? upstream : only;
  if (name === undefined || !isMap(valueAt(upstreams, [name]))) return [];
  const credentials = valueAt(upstreams, [name, 'credentials']) ?? 'passthrough';
  const mode = isMap(credentials) ? credentials.mode : credentials;
  if (mode !== 'passthrough') return [];
  const remedy = `set upstreams.${name}.credentials to none or to an account`;
  return [`clients log in to manifix, and then cannot log in to the registry with the same credentials; ${remedy}`];
}

/** One name is one issuer for all endpoints, because users and groups begin with it. */
function issuerMistakes(oidc: unknown, issuers: Map<string, unknown>, endpoint: number): readonly Mistake[] {
  const here = new Set<string>();
  return (Array.isArray(oidc) ? oidc : []).flatMap((entry, index) => {
    if (!isMap(entry) || typeof entry.name !== 'string') return [];
    const { name, issuer } = entry;
    const path = ['endpoints', endpoint, 'auth', 'oidc', index, 'name'];
    const other = issuers.has(name) && issuers.get(name) !== issuer;
    const message =
      issuerNameMistake(name, here) ?? (other ? `"${name}" is the name of another issuer already` : undefined);
    here.add(name);
    issuers.set(name, issuer);
    return message === undefined ? [] : [{ path, message }];
  });
}

function issuerNameMistake(name: string, here: ReadonlySet<string>): string | undefined {
  const mistake = nameMistake(name);
  if (mistake !== undefined) return mistake;
  if (name === 'cert' || name === 'group' || name === 'claim')
    return `"${name}" has a meaning of its own; take another`;
  return here.has(name) ? `"${name}" is there already` : undefined;
}
