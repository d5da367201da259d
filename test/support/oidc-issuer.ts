import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import Provider from 'oidc-provider';
import { exchange } from './http.ts';
import { listenOnLoopback } from './ports.ts';

/** A certified OpenID provider on loopback, whose client `builder` gets access tokens for itself. */
export interface OidcIssuer extends AsyncDisposable {
  readonly issuer: string;
  /** Paths that it was asked for, without those of `token`. */
  readonly asked: readonly string[];
  /** Set: every connection is cut. */
  down: boolean;
  /** A token for the audience `manifix`, with these claims beside those of the protocol. */
  token(claims?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Signs with another key from now on and takes the old one back. */
  rotate(): Promise<void>;
}

type Handler = (incoming: IncomingMessage, outgoing: ServerResponse) => unknown;

const [CLIENT, SECRET] = ['builder', 'builder-secret'];

/** Starts the provider with a new RSA key. */
export async function startOidcIssuer(): Promise<OidcIssuer> {
  const asked: string[] = [];
  const state = { down: false, claims: {} as Readonly<Record<string, unknown>> };
  let handler: Handler | undefined;
  const server = createServer((incoming, outgoing) => {
    if (incoming.url !== '/token') asked.push(incoming.url ?? '');
    if (state.down && incoming.url !== '/token') incoming.destroy();
    else handler?.(incoming, outgoing);
  });
  const issuer = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  let keys = 0;

  async function rotate(): Promise<void> {
    keys += 1;
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk: JWK = { ...(await exportJWK(privateKey)), kid: `key-${keys}`, alg: 'RS256', use: 'sig' };
    handler = providerOf(issuer, jwk, () => state.claims).callback();
  }

  await rotate();
  return {
    issuer,
    asked,
    get down() {
      return state.down;
    },
    set down(down) {
      state.down = down;
    },
    async token(claims = {}) {
      state.claims = claims;
      const answer = await exchange(issuer, {
        method: 'POST',
        target: '/token',
        headers: {
          Authorization: `Basic ${Buffer.from(`${CLIENT}:${SECRET}`).toString('base64')}`,
          'Content-Type': 'application/x-www-form-urlencoded',
        },
        body: 'grant_type=client_credentials',
      });
      const { access_token: token } = JSON.parse(answer.body.toString()) as { access_token?: string };
      if (token === undefined) throw new Error(`no token: ${answer.body}`);
      return token;
    },
    rotate,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function providerOf(issuer: string, key: JWK, claims: () => Readonly<Record<string, unknown>>): Provider {
  return new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT,
        client_secret: SECRET,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    // The provider names the members of a key one by one; they are those of `exportJWK`.
    jwks: { keys: [key as never] },
    cookies: { keys: ['not a secret here'] },
    extraTokenClaims: () => ({ ...claims() }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:manifix',
        getResourceServerInfo: () => ({
          scope: '',
          audience: 'manifix',
          accessTokenTTL: 600,
          accessTokenFormat: 'jwt',
        }),
      },
    },
  });
}
