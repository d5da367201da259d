import { hash } from 'node:crypto';
import type { JWTVerifyGetKey } from 'jose';
import type {
  Authenticated,
  Authentication,
  AuthenticationSettings,
  PasswordFile,
  PasswordUsers,
  Recognised,
  Shown,
  TrustedIssuer,
} from '../domain/authentication.ts';
import { ANONYMOUS } from '../domain/principal.ts';
import { resemblesAccessToken } from '../lib/access-token.ts';
import type { GetJson } from '../lib/get-json.ts';
import type { Log } from '../lib/logger.ts';
import { checkAccessToken, flawOf, type TokenKeeper } from './access-tokens.ts';
import { type Credentials, parseAuthorization } from './authorization.ts';
import { createIssuerKeys } from './issuer-keys.ts';
import { createOpenIdTokens, resemblesOpenIdToken } from './open-id.ts';
import { type LivePasswordFile, openPasswordFile } from './password-file.ts';
import { createPasswords, type PasswordOptions } from './passwords.ts';
import { refused, tooManyWrong, undecided, wrongPassword } from './refusals.ts';
import { createSeal } from './seal.ts';

export interface AuthenticationOptions extends PasswordOptions {
  /** Milliseconds since the epoch. */
  readonly time: () => number;
  readonly tokens: Pick<TokenKeeper, 'find' | 'get'>;
  readonly getJson: GetJson;
  readonly log: Log;
}

/** What is known of clients, beyond the configuration of the moment: a reload forgets no wrong password. */
export interface Authentications {
  /** How clients of an endpoint are told apart from now on. */
  of(endpoint: string, settings: AuthenticationSettings): Authentication;
}

export function createAuthentications(options: AuthenticationOptions): Authentications {
  const { now, time, tokens: keeper, log } = options;
  const passwords = createPasswords(options);
  const files = new Map<string, LivePasswordFile>();
  const keys = new Map<string, JWTVerifyGetKey>();
  const seal = createSeal();
  const recognised = new WeakMap<PasswordUsers, Map<string, Recognised>>();

  function fileOf(file: PasswordFile): LivePasswordFile {
    const known = files.get(file.path);
    known?.replace(file.users);
    const opened = known ?? openPasswordFile(file, now, log);
    files.set(file.path, opened);
    return opened;
  }

  function keysOf({ issuer, ca }: TrustedIssuer): JWTVerifyGetKey {
    const place = JSON.stringify([issuer, ca && Buffer.from(ca).toString('base64')]);
    const known = keys.get(place) ?? createIssuerKeys({ ...options, issuer, ...(ca && { ca }) });
    keys.set(place, known);
    return known;
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
    of(endpoint, { htpasswd, tokens, oidc, certificates }) {
      const file = htpasswd && fileOf(htpasswd);
      const openId = createOpenIdTokens({ issuers: oidc, keysOf, seal, now, time });

      async function byPassword(user: string, password: string, address: string): Promise<Authenticated> {
        const login = { endpoint, user };
        if (htpasswd === undefined || file === undefined) return refused(login, 'takes no passwords');
        const users = await file.users();
        const outcome = await passwords.check(htpasswd.path, users, { user, password, address });
        if (outcome === 'wrong') return wrongPassword(login);
        if (outcome !== 'right') return tooManyWrong(login, outcome.pause);
        return recognise(users, user);
      }

      /** @param user who is said to have it; a Bearer says nothing */
      function byAccessToken(token: string, user?: string): Authenticated {
        const login = { endpoint, user };
        if (!tokens) return refused(login, 'takes no tokens of manifix');
        const outcome = checkAccessToken(token, endpoint, keeper, time());
        if ('wrong' in outcome) return refused(login, `does not take ${outcome.wrong}`);
        const { id, user: owner, expiresAt } = outcome.record;
        if (user !== undefined && user !== owner) {
          return refused(login, `does not take the token ${id} for another user than its own`);
        }
        const principal = { method: 'token' as const, user: owner, groups: [], claims: {} };
        return { principal, proof: `token ${id}`, ...(expiresAt !== undefined && { until: expiresAt }) };
      }

      function isTokenGood(id: string): boolean {
        const record = keeper.get(id);
        return record !== undefined && flawOf(record, endpoint, time()) === undefined;
      }

      async function byOpenId(token: string): Promise<Authenticated> {
        const outcome = await openId.verify(token);
        if ('wrong' in outcome) return refused({ endpoint }, `does not take this token: it ${outcome.wrong}`);
        return 'unknown' in outcome ? undecided({ endpoint }, outcome.unknown) : outcome;
      }

      async function byCredentials(credentials: Credentials, address: string): Promise<Authenticated> {
        const secret = credentials.scheme === 'basic' ? credentials.password : credentials.token;
        const user = credentials.scheme === 'basic' ? credentials.user : undefined;
        if (resemblesAccessToken(secret)) return byAccessToken(secret, user);
        if (oidc.length > 0 && resemblesOpenIdToken(secret)) return byOpenId(secret);
        if (user !== undefined) return byPassword(user, secret, address);
        return refused({ endpoint }, 'does not know this token');
      }

      return {
        async authenticate({ authorization, certificate, address }: Shown) {
          if (authorization !== undefined) {
            const credentials = parseAuthorization(authorization);
            if (credentials === undefined) return refused({ endpoint }, 'takes Basic and Bearer, and this is neither');
            try {
              return await byCredentials(credentials, address);
            } catch (error) {
              return undecided({ endpoint }, 'something of manifix does not work', error);
            }
          }
          if (!certificates || certificate === undefined) return { principal: ANONYMOUS };
          const { name, until } = certificate;
          const principal = { method: 'certificate', user: `cert:${name}`, groups: [], claims: {} } as const;
          return { principal, until, proof: 'certificate' };
        },
        async holds(proof) {
          const [, way, print = '', user = ''] = /^(\S+) ?(\S*) ?(.*)$/s.exec(proof) ?? [];
          if (way === 'htpasswd') return print === fingerprint((await file?.users())?.get(user));
          if (way === 'token') return tokens && isTokenGood(print);
          if (way === 'oidc') return openId.trusts(print);
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
