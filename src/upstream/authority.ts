import { type UpstreamCredentials, withoutCredentials } from '../domain/credentials.ts';
import { type HeaderList, headerValue, withHeader } from '../domain/headers.ts';
import { systemClock } from '../lib/clock.ts';
import { createAuthorizer } from './authorizer.ts';
import { createLogins } from './logins.ts';
import type { Hop, HopAnswer } from './send.ts';
import { createTokenServices, type TokenServiceView } from './token-services.ts';

interface Request {
  readonly method: string;
  /** From `/v2/` on. */
  readonly path: string;
  readonly headers: HeaderList;
}

/** A request that was answered 401. */
interface Refused {
  /** The fields that it was sent with. */
  readonly sent: HeaderList;
  readonly answer: { readonly headers: HeaderList };
}

/** In whose name a registry is asked. */
export interface Authority {
  readonly kind: 'caller' | 'own';
  /**
   * The fields with which a request may go to the registry: the caller's as they are, or with manifix's own right in place of
   * the caller's. After a 401 those to try once more, or the very same list when there is nothing else to try.
   */
  authorize(request: Request, refused?: Refused): Promise<HeaderList>;
  /** How the token services that were asked do. */
  tokenServices(): readonly TokenServiceView[];
}

export interface AuthorityOptions {
  readonly who: string;
  readonly origin: string;
  readonly realms: readonly string[];
  readonly credentials: UpstreamCredentials;
  /** How long a token service is waited for, in milliseconds. */
  readonly tokenTimeout: number;
  /** Whether tokens that callers show are those of a registry of another site. */
  readonly isVisited: boolean;
  readonly send: (hop: Hop) => Promise<HopAnswer>;
  /** Asks the registry without credentials for what it wants. */
  readonly probe: () => Promise<HopAnswer>;
  /** Told when a token service begins to fail, and when it answers again. */
  readonly onTurn: (origin: string, reason?: string) => void;
}

export function createAuthority(options: AuthorityOptions): Authority {
  const { credentials, isVisited } = options;
  const asCaller = credentials.kind === 'passthrough';
  if (asCaller && !isVisited) {
    return {
      kind: 'caller',
      authorize: async ({ headers }, refused) => refused?.sent ?? headers,
      tokenServices: () => [],
    };
  }
  const own = ownAuthority(options);
  return asCaller ? visitor(own) : own;
}

/**
 * A caller's token is of no use at another site, and has no business there: who shows one is asked for as nobody, and so is who shows
 * nothing or a password that is not what is wanted there.
 */
function visitor(nobody: Authority): Authority {
  const showsToken = (headers: HeaderList) => /^bearer\b/i.test(headerValue(headers, 'Authorization') ?? 'Bearer');
  return {
    ...nobody,
    kind: 'caller',
    async authorize(request, refused) {
      if (refused === undefined) return showsToken(request.headers) ? nobody.authorize(request) : request.headers;
      if (showsToken(refused.sent)) return nobody.authorize(request, refused);
      const sent = withoutCredentials(refused.sent);
      const authorized = await nobody.authorize(request, { ...refused, sent });
      return authorized === sent ? refused.sent : authorized;
    },
  };
}

function ownAuthority({ credentials, probe, tokenTimeout, onTurn, ...options }: AuthorityOptions): Authority {
  const now = systemClock.now;
  const services = createTokenServices(tokenTimeout, () => performance.now(), onTurn);
  const authorizer = createAuthorizer({ ...options, services, now, logins: createLogins(credentials, now) });
  let probed: Promise<void> | undefined;

  /** Asks once what the registry wants, so that no body is sent in vain. */
  async function learn(): Promise<void> {
    const answer = await probe();
    answer.body.destroy();
    if (answer.status === 401) authorizer.learn(answer.headers);
  }
  async function first({ method, path, headers }: Request): Promise<HeaderList> {
    probed ??= learn().catch((error: unknown) => {
      probed = undefined;
      throw error;
    });
    await probed;
    return withAuthorization(withoutCredentials(headers), await authorizer.authorize(method, path));
  }
  async function again({ method, path }: Request, { sent, answer }: Refused): Promise<HeaderList> {
    const used = headerValue(sent, 'Authorization');
    const renewed = await authorizer.renew(method, path, answer.headers, used);
    return renewed === undefined || renewed === used ? sent : withAuthorization(sent, renewed);
  }
  return {
    kind: 'own',
    authorize: (request, refused) => (refused === undefined ? first(request) : again(request, refused)),
    tokenServices: services.view,
  };
}

function withAuthorization(headers: HeaderList, authorization: string | undefined): HeaderList {
  return authorization === undefined ? headers : withHeader(headers, 'Authorization', authorization);
}
