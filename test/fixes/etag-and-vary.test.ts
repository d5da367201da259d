import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import type { Route } from '../../src/domain/route.ts';
import { etagAndVary } from '../../src/fixes/etag-and-vary.ts';
import { manifestView, repositoryName, requestView, responseView, someDigest } from '../support/views.ts';

const digest = digestOf(Buffer.from('{}'));
const tag = ['ETag', `"${digest}"`] as const;
const apply = (...headers: HeaderList) => etagAndVary.manifest?.(manifestView({ headers }), {})?.headers;

describe('etag-and-vary', () => {
  it('adds the entity tag that is missing', () => {
    expect(etagAndVary.manifest?.(manifestView({ headers: [] }), {})).toEqual({
      note: 'corrected ETag or Vary',
      headers: [tag],
    });
  });

  it.each([`W/"${digest}"`, digest, '"other"', ''])('replaces %s by the strong tag of the digest', (value) => {
    expect(apply(['Etag', value])).toEqual([tag]);
  });

  it('leaves a healthy answer alone, whatever else it varies on', () => {
    expect(apply(tag)).toBeUndefined();
    expect(apply(tag, ['Vary', 'Accept, Origin'])).toBeUndefined();
    expect(apply(tag, ['Vary', '*'])).toBeUndefined();
  });

  it.each([
    ['Accept-Encoding, Origin', [tag, ['Vary', 'Origin']]],
    ['accept , ACCEPT-ENCODING', [tag, ['Vary', 'accept']]],
    ['Accept-Encoding', [tag]],
  ])('takes Accept-Encoding out of Vary: %s', (vary, headers) => {
    expect(apply(tag, ['Vary', vary])).toEqual(headers);
  });

  it('takes Accept-Encoding out of the Vary of lists, which manifix decodes, and leaves other answers alone', () => {
    const repository = repositoryName('team/app');
    const vary: HeaderList = [['Vary', 'Accept-Encoding']];
    const answer = (route: Route, headers: HeaderList) =>
      etagAndVary.response?.(responseView({ request: requestView({ route }), headers }), {});
    const lists: Route[] = [
      { kind: 'catalog' },
      { kind: 'tags', repository },
      { kind: 'referrers', repository, digest: someDigest },
    ];
    for (const route of lists) {
      expect(answer(route, vary)).toEqual({ note: 'corrected Vary', headers: [] });
      expect(answer(route, [['Vary', 'Origin']])).toBeUndefined();
    }
    expect(answer({ kind: 'base' }, vary)).toBeUndefined();
  });
});
