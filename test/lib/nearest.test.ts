import { describe, expect, it } from 'vitest';
import { didYouMean, nearest } from '../../src/lib/nearest.ts';

describe('nearest', () => {
  it.each([
    ['ulr', ['kind', 'url'], 'url'],
    ['lisen', ['listen', 'log'], 'listen'],
    ['MAX_SIZE', ['dir', 'maxSize'], 'maxSize'],
    ['upstream', ['upstreams', 'stream'], 'upstreams'],
    ['tagTTLs', ['tagTtl', 'maxSize'], 'tagTtl'],
  ])('finds what %s was meant to be', (word, candidates, meant) => {
    expect(nearest(word, candidates)).toBe(meant);
  });

  it('finds nothing among words that are not similar', () => {
    expect(nearest('zebra', ['listen', 'cache'])).toBeUndefined();
    expect(nearest('', ['listen'])).toBeUndefined();
    expect(nearest('listen', [])).toBeUndefined();
  });

  it('is not held up by a very long word', () => {
    expect(nearest('x'.repeat(1_000_000), ['listen'])).toBeUndefined();
  });
});

describe('didYouMean', () => {
  it('ends a sentence with the nearest word, or with nothing', () => {
    expect(didYouMean('ulr', ['url'])).toBe('; did you mean "url"?');
    expect(didYouMean('zebra', ['url'])).toBe('');
  });
});
