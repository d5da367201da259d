/** An HTTP proxy through which a registry is reached. */
export interface HttpProxy {
  /** `scheme://host[:port]`: where it is, and how messages call it. */
  readonly origin: string;
  readonly login?: { readonly username: string; readonly password: string };
}

/** A proxy gave no connection: it could not be asked, which is the cause, or it refused. */
export class ProxyFailure extends Error {
  readonly code = 'PROXY_FAILED';
  /** `scheme://host[:port]` of the proxy. */
  readonly proxy: string;
  readonly refusal: ProxyRefusal | undefined;

  constructor({ origin }: HttpProxy, why: { readonly refusal?: ProxyRefusal; readonly cause?: unknown }) {
    super(`no connection through the proxy ${origin}`, { cause: why.cause });
    this.proxy = origin;
    this.refusal = why.refusal;
  }
}

/** What a proxy answered when it was asked for a connection. */
export interface ProxyRefusal {
  readonly status: number;
  /** `host:port` that it was asked for. */
  readonly target: string;
  /** Whether it got a user name and a password. */
  readonly loggedIn: boolean;
}

/** What a refusal means, as the predicate of a sentence about the proxy, and what to do about it. */
export function explainRefusal({ status, target, loggedIn }: ProxyRefusal): {
  readonly reason: string;
  readonly remedy: string;
} {
  if (status === 407) {
    return {
      reason: `does not let manifix in (407) ${loggedIn ? 'with the user name and password of its configuration' : 'without a user name and a password'}`,
      remedy: 'Set username and password of proxy of this upstream.',
    };
  }
  // squid and tinyproxy let CONNECT pass to port 443 and few others unless told otherwise.
  if (status >= 400 && status < 500 && status !== 404)
    return { reason: `refuses a connection to ${target} (${status})`, remedy: `Allow CONNECT to ${target} there.` };
  return { reason: `got no connection to ${target} (${status})`, remedy: 'Its log says why.' };
}
