import { RegistryError } from '../domain/errors.ts';
import { describeRequestRate, type RequestRate } from '../domain/limits.ts';
import { formatRetryAfter } from '../domain/retry-after.ts';

/** Whom a limit is for, as the beginning of a sentence about an endpoint. */
export type Whose = 'endpoint' | 'user';

/** @param milliseconds until the next one is answered */
export function tooManyRequests(
  endpoint: string,
  whose: Whose,
  rate: RequestRate,
  milliseconds: number,
): RegistryError {
  const seconds = formatRetryAfter(milliseconds);
  return new RegistryError('TOOMANYREQUESTS', {
    explanation: `The endpoint "${endpoint}" answers ${describeRequestRate(rate)}${eachClient(whose)} (${keyOf(whose, 'requests')}), and more came. Try again in ${seconds} s.`,
    headers: [['Retry-After', seconds]],
  });
}

const FILL_RETRY = 5_000;

export function tooManyFills(endpoint: string, whose: Whose, fills: number): RegistryError {
  const seconds = formatRetryAfter(FILL_RETRY);
  return new RegistryError('TOOMANYREQUESTS', {
    message: 'too many downloads wait for their turn',
    explanation: `The endpoint "${endpoint}" has ${fills} ${fills === 1 ? 'download' : 'downloads'} from its registry at one time${eachClient(whose)} (${keyOf(whose, 'fills')}), and those before this one took too long. What is cached is answered all the same. Try again in ${seconds} s.`,
    headers: [['Retry-After', seconds]],
  });
}

/** distribution-spec has no code of its own for this; docker-registry and its proxies answer 413. */
export function uploadTooLarge(endpoint: string, limit: number, received: number, announced?: number): RegistryError {
  const came = announced === undefined ? `${received} bytes came so far` : `${announced} bytes were announced`;
  return new RegistryError('SIZE_INVALID', {
    status: 413,
    message: 'the blob is larger than this endpoint takes',
    detail: { limit, received, ...(announced === undefined ? {} : { announced }) },
    explanation: `The endpoint "${endpoint}" takes blobs of up to ${limit} bytes (endpoints[].limits.upload), and ${came}. Make the layer smaller, or ask the operator for more.`,
  });
}

function eachClient(whose: Whose): string {
  return whose === 'user' ? ' for each user' : '';
}

function keyOf(whose: Whose, limit: string): string {
  return whose === 'user' ? `endpoints[].limits.perUser.${limit}` : `endpoints[].limits.${limit}`;
}
