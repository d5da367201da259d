import { RegistryError } from '../domain/errors.ts';

/**
 * How a request failed: the registry could not be reached, kept silent for too long, or broke its answer off. Undefined for
 * what is not its doing: there was no token to ask with, the client left, manifix has no descriptor left, a redirect leads astray.
 */
export type FailureKind = 'unreachable' | 'silent' | 'broken';

const UNREACHABLE =
  /^(?:PROXY_FAILED|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_TLS_.*|ERR_SSL_.*|CERT_.*|EPROTO|DEPTH_ZERO_.*|SELF_SIGNED_.*|UNABLE_TO_.*)$/;

/** A token service gave no token, and so the registry was not asked. */
export class TokenServiceFailure extends RegistryError {}

export function failureKind(error: unknown): FailureKind | undefined {
  if (!(error instanceof RegistryError) || error instanceof TokenServiceFailure) return undefined;
  if (error.code !== 'UNAVAILABLE' || error.status === 503) return undefined;
  if (error.status === 504) return 'silent';
  const { cause } = error;
  if (!(cause instanceof Error)) return undefined;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  return UNREACHABLE.test(code) ? 'unreachable' : 'broken';
}
