import type { Denial } from './audit.ts';
import type { PolicyMark } from './content-policy.ts';
import { scanJson } from './json-scan.ts';
import type { RouteKind } from './route.ts';

interface ErrorEntry {
  readonly status: number;
  readonly message: string;
}

/**
 * The error codes of distribution-spec, "Error Codes", and the further ones that docker-registry sends, each with its usual
 * status and message.
 */
export const ERRORS = {
  BLOB_UNKNOWN: { status: 404, message: 'blob unknown to registry' },
  BLOB_UPLOAD_INVALID: { status: 400, message: 'blob upload invalid' },
  BLOB_UPLOAD_UNKNOWN: { status: 404, message: 'blob upload unknown to registry' },
  DENIED: { status: 403, message: 'requested access to the resource is denied' },
  DIGEST_INVALID: { status: 400, message: 'provided digest did not match uploaded content' },
  MANIFEST_BLOB_UNKNOWN: { status: 400, message: 'manifest references a manifest or blob unknown to registry' },
  MANIFEST_INVALID: { status: 400, message: 'manifest invalid' },
  MANIFEST_UNKNOWN: { status: 404, message: 'manifest unknown' },
  NAME_INVALID: { status: 400, message: 'invalid repository name' },
  NAME_UNKNOWN: { status: 404, message: 'repository name not known to registry' },
  PAGINATION_NUMBER_INVALID: { status: 400, message: 'invalid number of results requested' },
  RANGE_INVALID: { status: 416, message: 'invalid content range' },
  SIZE_INVALID: { status: 400, message: 'provided length did not match content length' },
  TOOMANYREQUESTS: { status: 429, message: 'too many requests' },
  UNAUTHORIZED: { status: 401, message: 'authentication required' },
  UNAVAILABLE: { status: 503, message: 'service unavailable' },
  UNKNOWN: { status: 500, message: 'unknown error' },
  UNSUPPORTED: { status: 405, message: 'the operation is unsupported' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

export interface RegistryErrorOptions {
  /** Instead of the usual status of the code. */
  readonly status?: number;
  /** Instead of the usual message of the code. */
  readonly message?: string;
  /** What arrived, why it cannot be served and what to do, in one or two plain sentences. */
  readonly explanation?: string;
  /** Id of the fix whose page says more. */
  readonly fix?: string;
  /** What an operator's policy on content did, when that is the reason. */
  readonly policy?: PolicyMark;
  readonly detail?: unknown;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly cause?: unknown;
  /** What was denied by a decision of manifix's own. */
  readonly denied?: Denial;
}

/** A refusal on its way to the client; `renderError` makes its body. `headers` go out with it. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly explanation: string | undefined;
  readonly fix: string | undefined;
  readonly policy: PolicyMark | undefined;
  readonly detail: unknown;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly denied: Denial | undefined;

  constructor(code: ErrorCode, options: RegistryErrorOptions = {}) {
    super(options.message ?? ERRORS[code].message, { cause: options.cause });
    this.code = code;
    this.status = options.status ?? ERRORS[code].status;
    this.explanation = options.explanation;
    this.fix = options.fix;
    this.policy = options.policy;
    this.detail = options.detail;
    this.headers = options.headers ?? [];
    this.denied = options.denied;
  }
}

/** One member of `errors` in a registry's answer; members beyond the three are kept. */
export interface OciError {
  readonly code: string;
  readonly message?: string;
  /** As parsed: docker-registry sends objects, arrays, numbers and strings here. */
  readonly detail?: unknown;
  readonly [member: string]: unknown;
}

/** The JSON text of an error answer, with the explanation as `detail.manifix`. */
export function renderError(error: RegistryError): string {
  const { code, message, detail, explanation, fix } = error;
  const said = explanation === undefined || fix === undefined ? explanation : formatExplanation(explanation, fix);
  return JSON.stringify({
    errors: [{ code, message, detail: said === undefined ? detail : withExplanation(detail, said) }],
  });
}

/** The code for an answer that has none, by its status and by what was asked for. */
export function codeForStatus(status: number, routeKind: RouteKind): ErrorCode {
  switch (status) {
    case 401:
      return 'UNAUTHORIZED';
    case 403:
      return 'DENIED';
    case 404:
      return unknownCode(routeKind);
    case 405:
      return 'UNSUPPORTED';
    case 413:
      return routeKind === 'manifest' ? 'MANIFEST_INVALID' : 'SIZE_INVALID';
    case 416:
      return 'BLOB_UPLOAD_INVALID';
    case 429:
      return 'TOOMANYREQUESTS';
    default:
      return 'UNKNOWN';
  }
}

function unknownCode(routeKind: RouteKind): ErrorCode {
  switch (routeKind) {
    case 'manifest':
    case 'referrers':
      return 'MANIFEST_UNKNOWN';
    case 'blob':
      return 'BLOB_UNKNOWN';
    case 'upload':
      return 'BLOB_UPLOAD_UNKNOWN';
    default:
      return 'NAME_UNKNOWN';
  }
}

/** The errors of a body in the form of distribution-spec, "Error Codes"; undefined for any other body. Never throws. */
export function parseErrors(bytes: Uint8Array): readonly OciError[] | undefined {
  const document = scanJson(bytes);
  if ('defect' in document || document.kind !== 'object') return undefined;
  const { errors } = JSON.parse(document.text) as { errors?: unknown };
  return Array.isArray(errors) && errors.length > 0 && errors.every(isOciError) ? errors : undefined;
}

function isOciError(value: unknown): value is OciError {
  if (!isPlainObject(value)) return false;
  return typeof value.code === 'string' && (value.message === undefined || typeof value.message === 'string');
}

/** The errors with the explanation in `detail.manifix` of the first; codes and everything else stay as they are. */
export function explainErrors(errors: readonly OciError[], explanation: string, fix: string): readonly OciError[] {
  return errors.map((error, index) =>
    index === 0 ? { ...error, detail: withExplanation(error.detail, formatExplanation(explanation, fix)) } : error,
  );
}

/** An explanation followed by where to read more. */
export function formatExplanation(text: string, fixId: string): string {
  return `${text} See docs/fixes/${fixId}.md.`;
}

function withExplanation(detail: unknown, explanation: string): Record<string, unknown> {
  if (detail === undefined || detail === null) return { manifix: explanation };
  return { ...(isPlainObject(detail) ? detail : { registry: detail }), manifix: explanation };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
