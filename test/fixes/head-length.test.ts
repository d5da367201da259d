import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { headLength } from '../../src/fixes/head-length.ts';
import { manifestView } from '../support/views.ts';

const apply = (headers: HeaderList, method = 'HEAD') =>
  headLength.manifest?.(manifestView({ method, body: '{"a":1}', headers }), {});

describe('head-length', () => {
  it.each(['0', '31', '-1', 'seven', '', '7, 7'])('corrects a stated length of "%s"', (value) => {
    const change = apply([['content-length', value]]);
    expect(change).toEqual({ note: 'set Content-Length to 7', headers: [['Content-Length', '7']] });
    expect(apply(change?.headers ?? [])).toBeUndefined();
  });

  it('states a length that is missing, to HEAD and GET alike', () => {
    for (const method of ['HEAD', 'GET']) {
      expect(apply([], method)).toEqual({
        note: 'set Content-Length to 7, which was missing',
        headers: [['Content-Length', '7']],
      });
    }
  });

  it('leaves the right length alone', () => {
    expect(apply([['Content-Length', '7']])).toBeUndefined();
  });
});
