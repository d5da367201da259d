import { RegistryError } from './errors.ts';
import { explainRefusal, ProxyFailure } from './http-proxy.ts';

/** What happened, as the predicate of a sentence about the registry, by Node's and undici's error codes. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ENOTFOUND: 'has a host name that does not exist',
  EAI_AGAIN: 'has a host name that could not be resolved just now',
  INTERNAL_ADDRESS:
    'is at an internal address, to which a registry on the internet may lead only when its `redirects` list the host',
  EHOSTUNREACH: 'has an address that cannot be reached from here',
  ENETUNREACH: 'has an address that cannot be reached from here',
  ECONNRESET: 'closed the connection before its answer was complete',
  EPIPE: 'closed the connection before its answer was complete',
  UND_ERR_SOCKET: 'closed the connection before its answer was complete',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'sent an answer whose length contradicts its header fields',
  UND_ERR_HEADERS_OVERFLOW: 'answered with more header fields than manifix accepts',
  HPE_HEADER_OVERFLOW: 'answered with more header fields than manifix accepts',
  INTERIM_ANSWERS: 'sent one interim answer after the other instead of a final one',
};

const TIMEOUTS: Readonly<Record<string, string>> = {
  ETIMEDOUT: 'did not answer in time',
  ECONNECT_TIMEOUT: 'did not accept the connection in time',
  UND_ERR_CONNECT_TIMEOUT: 'did not accept the connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'accepted the request but did not answer in time',
  UND_ERR_BODY_TIMEOUT: 'stopped sending in the middle of its answer',
};

/** What OpenSSL and Node call the same trouble with a certificate, and which keys of an upstream mend it. */
const CERTIFICATE_TROUBLES: readonly (readonly [RegExp, reason: string, remedy: string])[] = [
  [
    /^(?:UNABLE_TO_(?:VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(?:_LOCALLY)?)|(?:DEPTH_ZERO_)?SELF_SIGNED_CERT(?:_IN_CHAIN)?)$/,
    'has a certificate from an authority that is not trusted here',
    'If it is the right one, put the certificate of the authority into a file and set tls.ca of this upstream to it.',
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'has a certificate that is not for this host name',
    'Ask for it by a name that its certificate has: set url of this upstream, or of its proxy.',
  ],
  [/^CERT_HAS_EXPIRED$/, 'has a certificate that has expired', 'Renew it there.'],
  [/^CERT_NOT_YET_VALID$/, 'has a certificate that is not valid yet', 'Compare the clocks.'],
  [
    /^ERR_SSL_.*ALERT_(?:UNKNOWN_CA|(?:BAD|UNSUPPORTED|NO)_CERTIFICATE|CERTIFICATE_.*)$/,
    'wants a certificate from clients, or another than it got',
    'Set tls.cert and tls.key of this upstream to one that it accepts.',
  ],
];

const TLS_CODE = /^(?:ERR_TLS_|ERR_SSL_|CERT_|EPROTO$|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/**
 * The error for a request that got no answer, or an answer that broke off: 504 when time ran out, 503 when manifix has no file
 * descriptor left, else 502.
 * @param who the registry as the subject of a sentence, without path and query, which may carry secrets
 * @param error what the HTTP client reported; kept as the cause
 */
export function unavailable(who: string, error: unknown): RegistryError {
  const { reason, remedy, isOurs, tookTooLong } = troubleOf(error);
  if (isOurs) return outOfDescriptors(error);
  return new RegistryError('UNAVAILABLE', {
    status: tookTooLong ? 504 : 502,
    message: `${who} ${reason}`,
    explanation: [`${who} ${reason}, so there is no answer to pass on.`, remedy].join(' ').trim(),
    cause: error,
  });
}

interface Trouble {
  /** The predicate of a sentence about the registry. */
  readonly reason: string;
  readonly remedy: string;
  readonly tookTooLong?: boolean;
  readonly isOurs?: boolean;
}

function troubleOf(error: unknown): Trouble {
  if (!(error instanceof ProxyFailure)) return directTroubleOf(codeOf(error));
  const { proxy, refusal, cause } = error;
  const trouble = refusal === undefined ? directTroubleOf(codeOf(cause)) : explainRefusal(refusal);
  return { ...trouble, reason: `could not be reached, because its proxy ${proxy} ${trouble.reason}` };
}

function directTroubleOf(code: string): Trouble {
  const isOurs = code === 'EMFILE' || code === 'ENFILE';
  const timeout = TIMEOUTS[code];
  if (timeout !== undefined) return { reason: timeout, remedy: '', tookTooLong: true };
  const certificate = CERTIFICATE_TROUBLES.find(([pattern]) => pattern.test(code));
  if (certificate === undefined) return { reason: reasonFor(code), remedy: '', isOurs };
  return { reason: `${certificate[1]} (${code})`, remedy: certificate[2] };
}

/** An error for `unavailable`, with one of the codes that it knows. */
export function codedError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** The trouble is ours: there is no file descriptor left, for a connection or for a file. */
export function outOfDescriptors(cause: unknown): RegistryError {
  return new RegistryError('UNAVAILABLE', {
    explanation: 'manifix has run out of file descriptors for a moment. Try again, or raise its limit of open files.',
    headers: [['Retry-After', '1']],
    cause,
  });
}

/** undici's parser errors come without a code, only with a name. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no error code';
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : error.name;
}

function reasonFor(code: string): string {
  const reason = REASONS[code];
  if (reason !== undefined) return reason;
  if (code.startsWith('HPE_') || code === 'HTTPParserError') return 'answered with something that is not HTTP';
  if (TLS_CODE.test(code)) return `could not be reached over TLS (${code})`;
  return `could not be asked (${code})`;
}
