import { z } from 'zod';
import { duration, rate, shortDuration, size, tagLifetime, text } from './fields.ts';

const tags = () =>
  z
    .record(z.string(), tagLifetime())
    .meta({ type: 'map of tag patterns' })
    .describe(
      'The same for single tags and for patterns with `*`: a time, or `immutable`. A tag that is named goes first, then the ' +
        'first pattern that matches; `tagTtl` is for all others.',
    );

/** Where the cache is, how much it may take, and how long what it knows is believed. */
export function cacheSchema() {
  return z.strictObject({
    dir: text('path').prefault('./data').describe('The directory of the cache. It is made when it is missing.'),
    maxSize: size().prefault('50GiB').describe('How much the cached blobs may take; the least recently used go first.'),
    tagTtl: duration().prefault('60s').describe('How long a tag is answered without asking the registry again.'),
    tags: tags().prefault({}),
    staleWhileRevalidate: duration()
      .prefault('0s')
      .describe(
        'How long after that a tag is still answered at once, while the registry is asked behind the answer. Such an ' +
          'answer may be that much older than `tagTtl`.',
      ),
    staleFor: duration()
      .prefault('30d')
      .describe('How long after its time a tag is still answered while the registry cannot be asked.'),
    notFoundTtl: shortDuration()
      .prefault('5s')
      .describe(
        'How long it is remembered that the registry does not have a manifest. A push through manifix ends it; `0s` is off.',
      ),
    scrubRate: rate()
      .prefault('20MiB')
      .describe('How much of the cache is read again in a second to find damaged files; `0` is off.'),
  });
}

/** What an endpoint sets for itself. */
export function endpointCacheSchema() {
  return z.strictObject({
    tagTtl: duration().optional().describe('As `cache.tagTtl`, for this endpoint.'),
    tags: tags().optional().describe('As `cache.tags`, which it replaces for this endpoint.'),
    staleWhileRevalidate: duration().optional().describe('As `cache.staleWhileRevalidate`, for this endpoint.'),
    staleFor: duration().optional().describe('As `cache.staleFor`, for this endpoint.'),
    notFoundTtl: shortDuration().optional().describe('As `cache.notFoundTtl`, for this endpoint.'),
  });
}
