import type { HeaderList } from '../domain/headers.ts';
import type { HopAnswer } from './send.ts';

/** A request to a registry; see the port of the same name. */
export interface UpstreamRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers: HeaderList;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
  readonly redirects?: 'follow' | 'own' | 'pass';
  readonly probeStorage?: boolean;
  /** `wait` waits a 429 out, within reason; default `pass`. */
  readonly throttled?: 'wait' | 'pass';
  /** Told when the registry itself answered, before any redirect is followed. */
  readonly onFirstAnswer?: (answer: Pick<HopAnswer, 'status' | 'headers'>) => void;
}

/** What came of it in the end; see the port of the same name. */
export interface UpstreamResponse extends HopAnswer {
  readonly redirected: boolean;
  readonly probed?: boolean;
  /** For how long 429s were waited out, in milliseconds. */
  readonly waited?: number;
  /** Whether the registry was not asked in the name of the caller, who showed something that counts elsewhere. */
  readonly asNobody?: true;
}

/** An answer that came, for the operator's figures. */
export interface UpstreamAnswered {
  readonly upstream: string;
  readonly method: string;
  /** `scheme://host:port` of who answered in the end. */
  readonly origin: string;
  readonly status: number;
  /** From the first request to the last header field. */
  readonly seconds: number;
  readonly redirected: boolean;
}

/** A registry, or a token service of its, begins to fail, or answers again when there is no reason. */
export interface UpstreamTurn {
  readonly upstream: string;
  /** `scheme://host:port` */
  readonly origin: string;
  readonly reason?: string | undefined;
}
