import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider, { type ClientMetadata } from 'oidc-provider';
import { listenOnLoopback } from './ports.ts';

/** A certified OpenID provider on loopback that gives each of its clients tokens with claims of its own. */
export interface Issuer extends AsyncDisposable {
  readonly url: string;
  /** A signed token for this audience, as a CI system gives each job one. */
  token(job: string, audience: string): Promise<string>;
}

/** What the tokens of a job say beside `sub`, which is the job. */
export type Jobs = Readonly<Record<string, Readonly<Record<string, string>>>>;

const SECRET = 'secret-of-every-job';

export async function startIssuer(jobs: Jobs): Promise<Issuer> {
  // Connections stay open: one that the server closes may be the one on which the next request is just sent.
  const server = createServer({ keepAliveTimeout: 0 });
  const url = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  const clients: ClientMetadata[] = Object.keys(jobs).map((client_id) => ({
    client_id,
    client_secret: SECRET,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: 'client_secret_post',
  }));
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const provider = new Provider(url, {
    clients,
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'of-this-test', alg: 'RS256', use: 'sig' }] },
    ttl: { ClientCredentials: 600 },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, audience) => ({
          scope: '',
          audience: audience.replace('urn:', ''),
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    extraTokenClaims: (_, { clientId = '' }) => ({ sub: clientId, ...jobs[clientId] }),
  });
  server.on('request', provider.callback());
  return {
    url,
    async token(job, audience) {
      const form = {
        grant_type: 'client_credentials',
        client_id: job,
        client_secret: SECRET,
        resource: `urn:${audience}`,
      };
      const answer = await fetch(`${url}/token`, { method: 'POST', body: new URLSearchParams(form) });
      if (!answer.ok) throw new Error(`the issuer answered ${answer.status}: ${await answer.text()}`);
      // As RFC 6749, section 5.1 has it.
      return ((await answer.json()) as { access_token: string }).access_token;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
