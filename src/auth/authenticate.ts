import type { JWTVerifyGetKey } from 'jose';
import type {
  Authenticated,
  Authentication,
  AuthenticationSettings,
  Shown,
  TrustedIssuer,
} from '../domain/authentication.ts';
import { ANONYMOUS } from '../domain/principal.ts';
import type { GetJson } from '../lib/get-json.ts';
import type { Log } from '../lib/logger.ts';
import { resemblesAccessToken } from './access-token-text.ts';
import { type AccessTokenLogin, accessTokensAt, type TokenKeeper } from './access-tokens.ts';
import { type Credentials, parseAuthorization } from './authorization.ts';
import { createIssuerKeys } from './issuer-keys.ts';
import { createOpenIdTokens, type OpenIdTokens, resemblesOpenIdToken } from './open-id.ts';
import { createPasswordLogins, type PasswordLogin } from './password-logins.ts';
import type { PasswordOptions } from './passwords.ts';
import { refused, undecided } from './refusals.ts';
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
  const { now, time, tokens: keeper } = options;
  const passwordLogins = createPasswordLogins(options);
  const keys = new Map<string, JWTVerifyGetKey>();
  const seal = createSeal();

  function keysOf({ issuer, ca }: TrustedIssuer): JWTVerifyGetKey {
    const place = JSON.stringify([issuer, ca && Buffer.from(ca).toString('base64')]);
    const known = keys.get(place) ?? createIssuerKeys({ ...options, issuer, ...(ca && { ca }) });
    keys.set(place, known);
    return known;
  }

  return {
    of: (endpoint, { htpasswd, tokens, oidc, certificates }) =>
      authenticationAt(endpoint, {
        passwords: htpasswd && passwordLogins.of(endpoint, htpasswd),
        accessTokens: tokens ? accessTokensAt(endpoint, keeper, time) : undefined,
        openId: oidc.length > 0 ? createOpenIdTokens({ issuers: oidc, keysOf, seal, now, time }) : undefined,
        certificates,
      }),
  };
}

/** The ways to show who one is that an endpoint takes. */
interface Ways {
  readonly passwords: PasswordLogin | undefined;
  readonly accessTokens: AccessTokenLogin | undefined;
  readonly openId: OpenIdTokens | undefined;
  readonly certificates: boolean;
}

function authenticationAt(endpoint: string, { passwords, accessTokens, openId, certificates }: Ways): Authentication {
  async function byOpenId(tokens: OpenIdTokens, token: string): Promise<Authenticated> {
    const outcome = await tokens.verify(token);
    if ('wrong' in outcome) return refused({ endpoint }, `does not take this token: it ${outcome.wrong}`);
    return 'unknown' in outcome ? undecided({ endpoint }, outcome.unknown) : outcome;
  }

  async function byCredentials(credentials: Credentials, address: string): Promise<Authenticated> {
    const secret = credentials.scheme === 'basic' ? credentials.password : credentials.token;
    const user = credentials.scheme === 'basic' ? credentials.user : undefined;
    if (resemblesAccessToken(secret)) {
      return accessTokens?.check(secret, user) ?? refused({ endpoint, user }, 'takes no tokens of manifix');
    }
    if (openId !== undefined && resemblesOpenIdToken(secret)) return byOpenId(openId, secret);
    if (user === undefined) return refused({ endpoint }, 'does not know this token');
    return passwords?.check(user, secret, address) ?? refused({ endpoint, user }, 'takes no passwords');
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
      if (way === 'htpasswd') return (await passwords?.holds(print, user)) === true;
      if (way === 'token') return accessTokens?.holds(print) === true;
      if (way === 'oidc') return openId?.trusts(print) === true;
      return way === 'certificate' && certificates;
    },
  };
}
