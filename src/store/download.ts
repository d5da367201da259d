import type { Readable } from 'node:stream';
import { RegistryError } from '../domain/errors.ts';
import { UpstreamRefusal } from '../domain/upstream-refusal.ts';
import { type Clock, delay } from '../lib/clock.ts';
import { recycle } from '../lib/recyclable-body.ts';
import { announcedLength, restLength } from './answer.ts';
import { receive } from './receive.ts';
import type { FillHead, FillSource, SourceResponse } from './types.ts';

/** Where a download puts its bytes. */
export interface DownloadTarget {
  /** Bytes that arrived so far. */
  readonly received: number;
  size: number | undefined;
  /** The header fields are in. Called once, before the first byte. */
  begin(head: FillHead): void;
  /** Copies the bytes: their memory is used again. */
  push(chunk: Buffer): void;
  /** Undefined when more may come at once; otherwise settles when it may. */
  room(): Promise<void> | undefined;
  /** The transfer goes on after a cut. */
  resumed(): void;
}

export interface DownloadOptions {
  readonly source: FillSource;
  readonly target: DownloadTarget;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** More bytes came than were announced: whatever they are, they are not the blob. */
export class OverlongBody extends Error {
  override readonly name = 'OverlongBody';
}

const PAUSES_BEFORE_TRIES = [0, 250, 1_000];
// Every try that brings a byte earns three more, so a registry that drips one byte each time needs another end.
const MAX_TRIES = 100;
const REFUSAL_BYTES = 1024 * 1024;

/**
 * Downloads a blob whole, resuming where it was cut. Resolves when as many bytes came as were announced or, without an
 * announcement, at the regular end. Nothing is checked but the length.
 * @throws an UpstreamRefusal, a RegistryError, an OverlongBody or the signal's reason
 */
export async function download(options: DownloadOptions): Promise<void> {
  const { source, target, signal } = options;
  const response = await source(signal);
  if (response.status !== 200) throw await refusal(response, signal);
  const size = lengthOrDestroy(response);
  target.begin({ size, headers: response.headers });
  let cut = await transfer(options, response.body, 0);
  let isRepeatable = true;
  let fruitless = 0;
  for (let tries = 0; cut !== undefined; tries += 1) {
    const pause = PAUSES_BEFORE_TRIES[fruitless];
    if (pause === undefined || tries === MAX_TRIES) throw cutTooOften(target, cut.error);
    if (pause > 0) await delay(options.clock, pause, signal);
    const before = target.received;
    const rest = await askForRest(options, isRepeatable);
    isRepeatable &&= rest?.skip === 0 || rest === undefined;
    if (rest !== undefined) {
      target.resumed();
      cut = await transfer(options, rest.body, rest.skip);
    }
    fruitless = target.received > before ? 0 : fruitless + 1;
  }
}

interface Cut {
  readonly error: unknown;
}

/** Moves one body, without its first `skip` bytes. Undefined when the blob is complete. */
async function transfer(options: DownloadOptions, body: Readable, skip: number): Promise<Cut | undefined> {
  const { target, signal } = options;
  let toSkip = skip;
  const take = (chunk: Buffer) => {
    const fresh = chunk.subarray(Math.min(toSkip, chunk.length));
    toSkip -= chunk.length - fresh.length;
    if (target.received + fresh.length > (target.size ?? Number.POSITIVE_INFINITY)) throw new OverlongBody();
    if (fresh.length > 0) target.push(fresh);
    recycle(body, chunk);
    return target.room();
  };
  try {
    await receive(body, take, signal);
    if (target.size === undefined && toSkip === 0) return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof OverlongBody) throw error;
    return target.received === target.size ? undefined : { error };
  }
  return target.received === target.size ? undefined : { error: new Error('the body ended early') };
}

/** Asks for what is missing. Undefined when the answer does not fit exactly behind what is there. */
async function askForRest(
  { source, target, signal }: DownloadOptions,
  mayRepeat: boolean,
): Promise<{ readonly body: Readable; readonly skip: number } | undefined> {
  const from = target.received;
  let response: SourceResponse;
  try {
    response = await source(signal, from === 0 ? undefined : from);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
  const { status, headers, body } = response;
  if (status === 206 && from > 0) {
    const total = restLength(headers, from, target.size);
    if (total !== undefined) {
      target.size = total;
      return { body, skip: 0 };
    }
  }
  const isWhole = status === 200 && (from === 0 || mayRepeat) && fits(response, target.size);
  if (isWhole) return { body, skip: from };
  discard(body);
  return undefined;
}

function fits({ headers }: SourceResponse, size: number | undefined): boolean {
  try {
    return size === undefined || (announcedLength(headers) ?? size) === size;
  } catch {
    return false;
  }
}

async function refusal(response: SourceResponse, signal: AbortSignal): Promise<UpstreamRefusal> {
  const chunks: Buffer[] = [];
  let length = 0;
  const take = (chunk: Buffer) => {
    length += chunk.length;
    if (length > REFUSAL_BYTES) throw new OverlongBody();
    chunks.push(chunk);
    return undefined;
  };
  // What the registry said counts, even if its words were cut.
  await receive(response.body, take, signal).catch(() => undefined);
  const { status, headers } = response;
  return new UpstreamRefusal({ status, headers, body: Buffer.concat(chunks) });
}

function lengthOrDestroy({ headers, body }: SourceResponse): number | undefined {
  try {
    return announcedLength(headers);
  } catch (error) {
    discard(body);
    throw error;
  }
}

function discard(body: Readable): void {
  body.on('error', () => undefined);
  body.destroy();
}

function cutTooOften({ received, size }: DownloadTarget, cause: unknown): RegistryError {
  const whole = size === undefined ? '' : ` of ${size}`;
  return new RegistryError('UNAVAILABLE', {
    status: 502,
    message: 'the registry cut the transfer',
    explanation: `The registry's connection broke after ${received}${whole} bytes, and tries to go on did not bring the rest.`,
    cause,
  });
}
