import type { IncomingHttpHeaders } from 'node:http';

/** A request as a broken registry sees it. */
export interface RegistryRequest {
  readonly method: string;
  readonly path: string;
  /** Decoded once, as Go's url.ParseQuery does it: a second `?` is a part of the value in front of it. */
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** One entry for each line, in order; Node joins them in `headers`. */
  readonly acceptLines: readonly string[];
  readonly body: Buffer;
}

export interface RegistryAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** What one repository holds. */
export interface Repository {
  readonly name: string;
  readonly blobs: Map<string, Uint8Array>;
  /** By tag and by digest. */
  readonly manifests: Map<string, StoredManifest>;
  /** What arrived so far in each upload session that is open. */
  readonly sessions: Map<string, Uint8Array>;
}

export interface StoredManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** An error in the form of distribution-spec, "Error Codes". */
export function refusal(status: number, code: string, message: string, detail?: unknown): RegistryAnswer {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8' },
    body: Buffer.from(JSON.stringify({ errors: [{ code, message, detail }] })),
  };
}
