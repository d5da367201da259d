import { Readable } from 'node:stream';
import type { HeaderList } from '../../../src/domain/headers.ts';
import type { FillSource, SourceResponse } from '../../../src/store/types.ts';
import { within } from '../../support/deadline.ts';

/** One request that a fill made, answered by hand. */
export interface SourceCall {
  readonly from: number | undefined;
  readonly signal: AbortSignal;
  readonly body: Readable;
  /** Settles when the fill or the end closed the body. */
  readonly closed: Promise<void>;
  answer(status: number, headers: HeaderList): void;
  refuse(error: Error): void;
  send(bytes: Uint8Array): void;
  end(): void;
  cut(): void;
}

export interface ManualSource {
  readonly source: FillSource;
  readonly calls: readonly SourceCall[];
  /** The call of that number (from 0), as soon as it was made. */
  call(number: number): Promise<SourceCall>;
}

/** A registry whose every answer is written by the test. */
export function createManualSource(): ManualSource {
  const calls: SourceCall[] = [];
  const waiting = new Map<number, PromiseWithResolvers<SourceCall>>();

  function arrival(number: number): PromiseWithResolvers<SourceCall> {
    const known = waiting.get(number) ?? Promise.withResolvers<SourceCall>();
    waiting.set(number, known);
    return known;
  }

  return {
    calls,
    source: (signal, from) => {
      const { promise, resolve, reject } = Promise.withResolvers<SourceResponse>();
      const call = createCall(signal, from, resolve, reject);
      calls.push(call);
      arrival(calls.length - 1).resolve(call);
      return promise;
    },
    call: (number) => within(`source call ${number}`, arrival(number).promise),
  };
}

function createCall(
  signal: AbortSignal,
  from: number | undefined,
  resolve: (response: SourceResponse) => void,
  reject: (error: Error) => void,
): SourceCall {
  const body = new Readable({ read: () => undefined, highWaterMark: 64 * 1024 });
  const closed = new Promise<void>((done) => body.once('close', done));
  return {
    from,
    signal,
    body,
    closed,
    answer: (status, headers) => resolve({ status, headers, body }),
    refuse: reject,
    send: (bytes) => body.push(bytes),
    end: () => body.push(null),
    cut: () => body.destroy(new Error('socket hang up')),
  };
}

/** A registry that answers at once and whole. */
export function createReadySource(bytes: Uint8Array, chunkSize = 64 * 1024): FillSource & { readonly count: number } {
  let count = 0;
  const source = async (): Promise<SourceResponse> => {
    count += 1;
    return { status: 200, headers: [['Content-Length', String(bytes.length)]], body: bodyOf(bytes, chunkSize) };
  };
  return Object.defineProperty(source, 'count', { get: () => count }) as typeof source & { readonly count: number };
}

/** A body that gives those bytes in chunks of that size. */
export function bodyOf(bytes: Uint8Array, chunkSize = 64 * 1024): Readable {
  const chunks = function* () {
    for (let at = 0; at < bytes.length; at += chunkSize) yield Buffer.from(bytes.subarray(at, at + chunkSize));
  };
  return Readable.from(chunks(), { objectMode: false });
}
