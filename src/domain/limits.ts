/** How many requests a period may bring. */
export interface RequestRate {
  readonly requests: number;
  readonly per: keyof typeof SECONDS;
}

/** What one client of an endpoint may use; absent is without limit. */
export interface ClientLimits {
  readonly requests?: RequestRate | undefined;
  /** Requests that may come at once; as many as `requests` names where not told otherwise. */
  readonly burst?: number | undefined;
  /** Bytes of bodies sent in a second. */
  readonly bandwidth?: number | undefined;
  /** Downloads from the registry at one time. */
  readonly fills?: number | undefined;
}

/** What all clients of an endpoint may use together, and each of them. */
export interface EndpointLimits extends ClientLimits {
  /** Bytes of cached content. */
  readonly quota?: number | undefined;
  /** Bytes of one uploaded blob. */
  readonly upload?: number | undefined;
  readonly perUser: ClientLimits;
}

export const NO_LIMITS: EndpointLimits = { perUser: {} };

const SECONDS = { s: 1, m: 60, h: 3_600 } as const;
const NAMES = { s: 'second', m: 'minute', h: 'hour' } as const;

/** Reads `50/s`, `3000/m` or `1000/h`; undefined when it is none. */
export function parseRequestRate(text: string): RequestRate | undefined {
  const [, requests, per] = /^([1-9]\d{0,8})\/([smh])$/.exec(text) ?? [];
  return requests === undefined ? undefined : { requests: Number(requests), per: per as RequestRate['per'] };
}

export function formatRequestRate({ requests, per }: RequestRate): string {
  return `${requests}/${per}`;
}

/** `50 requests a second`. */
export function describeRequestRate({ requests, per }: RequestRate): string {
  return `${requests} ${requests === 1 ? 'request' : 'requests'} ${per === 'h' ? 'an' : 'a'} ${NAMES[per]}`;
}

/** The size of the bucket that holds requests to their rate. */
export function bucketOf(rate: RequestRate, burst = rate.requests): { perSecond: number; burst: number } {
  return { perSecond: rate.requests / SECONDS[rate.per], burst };
}
