import { createHash, sign } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { type Certificate, makeCertificate, publicKeyOf } from './certificate.ts';
import { listenOnLoopback } from './ports.ts';

/** One question to the token service. */
export interface TokenQuestion {
  readonly method: string;
  /** Empty for nobody. */
  readonly user: string;
  readonly service: string;
  readonly scopes: readonly string[];
  readonly accept: string | undefined;
}

/** A token service for docker-registry's `auth.token`, with a signing key of its own. */
export interface TokenServer extends AsyncDisposable {
  readonly url: string;
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** Of the key that signs, for `rootcertbundle`. */
  readonly certificate: string;
  readonly questions: readonly TokenQuestion[];
  /** What every answer says beside or instead of the token; `token` in a value stands for the token. */
  shape: (token: string) => Readonly<Record<string, unknown>>;
  /** In seconds, inside the token. */
  lifetime: number;
  /** Set: it answers this status to everything. */
  failing: number | undefined;
  /** Set: it answers when this has settled. */
  held: Promise<void> | undefined;
  stop(): Promise<void>;
}

interface TokenServerOptions {
  /** Passwords by user; each may do everything. Nobody may pull what is below `public/`. */
  readonly users: Readonly<Record<string, string>>;
  /** Whether POST (OAuth 2) is answered, or 404. */
  readonly post?: boolean;
}

const SERVICE = 'registry.test';

export async function startTokenServer({ users, post = true }: TokenServerOptions): Promise<TokenServer> {
  const signer = makeCertificate({ name: 'token service' });
  const questions: TokenQuestion[] = [];
  // Connections stay open: one that the server closes may be the one on which the next request is just sent.
  const server = createServer({ keepAliveTimeout: 0 }, (incoming, outgoing) => {
    const answered = answerTo(incoming).then(({ status, body }) => {
      outgoing.writeHead(status, { 'Content-Type': 'application/json' });
      outgoing.end(JSON.stringify(body));
    });
    // Whoever asks may be gone before its question is read.
    answered.catch(() => outgoing.destroy());
  });
  const url = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
  const service: TokenServer = {
    url,
    realm: `${url}/token`,
    service: SERVICE,
    issuer: 'test issuer',
    certificate: signer.certificate,
    questions,
    shape: (token) => ({ token, access_token: token, expires_in: service.lifetime }),
    lifetime: 300,
    failing: undefined,
    held: undefined,
    stop,
    [Symbol.asyncDispose]: stop,
  };

  async function answerTo(incoming: IncomingMessage): Promise<{ status: number; body: object }> {
    const method = incoming.method ?? '';
    await service.held;
    if (service.failing !== undefined) return { status: service.failing, body: {} };
    if (method === 'POST' && !post) return { status: 404, body: {} };
    const query = new URL(incoming.url ?? '', url).searchParams;
    const form = method === 'POST' ? new URLSearchParams(await text(incoming)) : query;
    const [user = '', password = ''] = method === 'POST' ? formLogin(form) : basicLogin(incoming);
    const scopes = form.getAll('scope').flatMap((scope) => scope.split(' '));
    questions.push({ method, user, service: form.get('service') ?? '', scopes, accept: incoming.headers.accept });
    if (user !== '' && users[user] !== password)
      return { status: 401, body: { details: 'incorrect username or password' } };
    const token = jwt(signer, service, user, scopes);
    return {
      status: 200,
      body: {
        ...service.shape(token),
        ...(form.get('access_type') === 'offline' ? { refresh_token: `refresh-${user}` } : {}),
      },
    };
  }
  return service;

  function formLogin(form: URLSearchParams): readonly string[] {
    if (form.get('grant_type') === 'password') return [form.get('username') ?? '', form.get('password') ?? ''];
    const user = (form.get('refresh_token') ?? '').replace('refresh-', '');
    return [user, users[user] ?? ''];
  }
}

function basicLogin({ headers }: IncomingMessage): readonly string[] {
  const encoded = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
  return Buffer.from(encoded, 'base64').toString().split(/:(.*)/s);
}

function jwt(
  signer: Certificate,
  { issuer, service, lifetime }: TokenServer,
  user: string,
  scopes: readonly string[],
): string {
  const now = Math.floor(Date.now() / 1000);
  const head = { typ: 'JWT', alg: 'ES256', kid: keyId(signer) };
  const claims = {
    iss: issuer,
    sub: user,
    aud: service,
    exp: now + lifetime,
    nbf: now - 10,
    iat: now - 10,
    jti: `${now}${Math.random()}`,
    access: scopes.flatMap((scope) => grant(scope, user)),
  };
  const signed = [head, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign('sha256', Buffer.from(signed), { key: signer.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

function grant(scope: string, user: string): readonly object[] {
  const [type = '', name = '', actions = ''] = scope.split(':');
  if (user !== '') return [{ type, name, actions: actions.split(',') }];
  return name.startsWith('public/') ? [{ type, name, actions: ['pull'] }] : [];
}

/** docker's libtrust names a key by its sha256, shortened to 240 bits, in base32 with a colon after each four characters. */
function keyId(signer: Certificate): string {
  const bytes = createHash('sha256').update(publicKeyOf(signer)).digest().subarray(0, 30);
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = (bits.match(/.{5}/g) ?? []).map(
    (five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five, 2)],
  );
  return (letters.join('').match(/.{4}/g) ?? []).join(':');
}
