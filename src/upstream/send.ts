import type { Readable } from 'node:stream';
import type { Agent, Dispatcher } from 'undici';
import { type HeaderList, headerListFromRaw } from '../domain/headers.ts';
import { codedError } from '../domain/unavailable.ts';
import { RecyclableBody } from '../lib/recyclable-body.ts';
import type { ReceiveBuffers } from './receive-buffers.ts';

/** The connections of one client, and the memory that they receive into. */
export interface Wire {
  readonly agent: Agent;
  readonly buffers: ReceiveBuffers;
}

/** One request to one server; what undici needs and nothing else. */
export interface Hop {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  readonly headers: HeaderList;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
}

export interface HopAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Readable;
}

/** Interim answers restart the timer for the header fields, so a flood of them has to be ended by counting. */
const MAX_INTERIM_ANSWERS = 32;

/**
 * Sends one request and resolves with its answer, whatever the status. Nothing is followed, decoded or repeated.
 * Rejects with the signal's reason when aborted (also before a connection is there), else with what `translate` makes of
 * undici's error; the body errors in the same two ways.
 */
export function send({ agent, buffers }: Wire, hop: Hop, translate: (error: unknown) => Error): Promise<HopAnswer> {
  const { origin, path, method, headers, body = null, signal } = hop;
  const { promise, resolve, reject } = Promise.withResolvers<HopAnswer>();
  let connection: Dispatcher.DispatchController | undefined;
  let answerBody: Readable | undefined;
  let interimAnswers = 0;

  function fail(error: Error): void {
    if (answerBody === undefined) reject(error);
    else answerBody.destroy(error);
    signal?.removeEventListener('abort', abort);
  }
  function abort(): void {
    connection?.abort(signal?.reason);
    fail(signal?.reason);
  }
  if (signal?.aborted) return Promise.reject(signal.reason);
  signal?.addEventListener('abort', abort, { once: true });

  agent.dispatch(
    { origin, path, method, headers: headers.flat(), body },
    {
      onRequestStart(controller) {
        connection = controller;
        if (signal?.aborted) controller.abort(signal.reason);
      },
      onResponseStart(controller, status) {
        if (status < 200) {
          interimAnswers += 1;
          if (interimAnswers > MAX_INTERIM_ANSWERS) controller.abort(tooManyInterimAnswers());
          return;
        }
        answerBody = bodyOf(controller, buffers);
        answerBody.once('close', () => signal?.removeEventListener('abort', abort));
        resolve({ status, headers: headersOf(controller), body: answerBody });
      },
      onResponseData(controller, chunk) {
        if (answerBody?.push(chunk) === false) controller.pause();
      },
      onResponseEnd() {
        answerBody?.push(null);
      },
      onResponseError(_controller, error) {
        fail(signal?.aborted ? signal.reason : translate(error));
      },
    },
  );
  return promise;
}

function tooManyInterimAnswers(): Error {
  return codedError('INTERIM_ANSWERS', 'too many interim answers');
}

/** A stream with back-pressure down to the socket; destroying it before its end destroys the socket. */
function bodyOf(controller: Dispatcher.DispatchController, { recycle }: ReceiveBuffers): Readable {
  const body = new RecyclableBody({
    recycle,
    read: () => controller.resume(),
    destroy: (error, done) => {
      controller.abort(error ?? new Error('The answer is not wanted any more.'));
      done(error);
    },
  });
  // It may break off before anybody reads it; whoever reads it later still gets the error.
  return body.on('error', () => {});
}

/** Latin-1 keeps every byte of a field, and Node writes it back the same way. */
function headersOf({ rawHeaders }: Dispatcher.DispatchController): HeaderList {
  const parts: readonly (Buffer | string)[] = Array.isArray(rawHeaders) ? rawHeaders : [];
  return headerListFromRaw(parts.map((part) => (typeof part === 'string' ? part : part.toString('latin1')).trim()));
}
