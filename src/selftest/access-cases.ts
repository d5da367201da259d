import type { Answer } from '../broken/client.ts';
import { type RegistryAnswer, type RegistryRequest, refusal } from '../broken/message.ts';
import { MANIFEST_TYPES } from '../domain/media-type.ts';
import { type Defect, type SelftestCase, type Stage, withFields } from './case.ts';

const TOKEN = 'selftest-token';
const SERVICE = 'selftest';
/** What the clients call manifix; it leads there because the only endpoint takes every host. */
const HOST = 'client.example';

const UNAUTHORIZED = refusal(401, 'UNAUTHORIZED', 'authentication required');

const GIVEN: RegistryAnswer = {
  status: 200,
  headers: { 'Content-Type': 'application/json' },
  body: Buffer.from(JSON.stringify({ access_token: TOKEN })),
};

/** Names the registry itself as the token service, at the address that manifix has for it. */
const challenge = ({ headers }: RegistryRequest) =>
  withFields(UNAUTHORIZED, { 'WWW-Authenticate': `Bearer realm="http://${headers.host}/token",service="${SERVICE}"` });

/** A registry that serves whoever shows a token. */
const wantingTokens =
  (refuse: (request: RegistryRequest) => RegistryAnswer): Defect =>
  ({ request, normally }) =>
    request.headers.authorization === `Bearer ${TOKEN}` ? normally() : refuse(request);

const getIndex = ({ send, base }: Stage, headers: Record<string, string> = {}): Promise<Answer> =>
  send('GET', `${base}/manifests/index`, { headers: { Accept: MANIFEST_TYPES.join(', '), Host: HOST, ...headers } });

/** What a client hears when it asks manifix for a token for the repository. */
async function askForToken({ send, base }: Stage): Promise<Readonly<Record<string, unknown>>> {
  const scope = `repository:${base.replace('/v2/', '')}:pull`;
  const { body } = await send('GET', `/token?service=${SERVICE}&scope=${scope}`, { headers: { Host: HOST } });
  return JSON.parse(body.toString());
}

/** Tokens, accounts and limits. */
export const ACCESS_CASES: readonly SelftestCase[] = [
  {
    id: 'token-realm',
    authority: 'caller',
    registry: wantingTokens(challenge),
    works: async (stage) => {
      const refused = await getIndex(stage);
      if (refused.header('WWW-Authenticate')?.includes(`realm="http://${HOST}/token"`) !== true) return false;
      const { access_token: token } = await askForToken(stage);
      return (await getIndex(stage, { Authorization: `Bearer ${token}` })).status === 200;
    },
  },
  {
    id: 'challenge-missing',
    authority: 'caller',
    registry: wantingTokens((request) => (request.path === '/v2/' ? challenge(request) : UNAUTHORIZED)),
    works: async (stage) => (await getIndex(stage)).header('WWW-Authenticate')?.includes(':pull"') === true,
  },
  {
    id: 'token-shapes',
    authority: 'caller',
    // Whoever has no account gets tokens for repositories alone.
    registry: ({ request: { query } }) => (query.has('scope') ? GIVEN : UNAUTHORIZED),
    works: async (stage) => {
      const { token, expires_in } = await askForToken(stage);
      return token === TOKEN && typeof expires_in === 'number';
    },
  },
  {
    id: 'mirror-without-credentials',
    authority: 'own',
    works: async ({ send }) => (await send('GET', '/v2/')).status === 200,
  },
  {
    id: 'rate-limit-429',
    registry: ({ asked, normally }) =>
      asked === 1
        ? withFields(refusal(429, 'TOOMANYREQUESTS', 'pull rate limit exceeded'), { 'Retry-After': '1' })
        : normally(),
    works: async ({ send, base }) => {
      const headers = { Accept: MANIFEST_TYPES.join(', ') };
      const ask = () => send('GET', `${base}/manifests/index`, { headers });
      const { status } = await ask();
      if (status === 429) {
        // The limit is the registry's, whom the other cases ask, too: the next answer shows that it is over.
        await new Promise((over) => setTimeout(over, 1_100));
        await ask();
      }
      return status === 200;
    },
  },
];
