import { describe, expect, it } from 'vitest';
import { secondQuestionMark } from '../../src/fixes/second-question-mark.ts';
import { requestView, someDigest, uploadRoute, uploadStartRoute } from '../support/views.ts';

const state = '_state=GjzU_y-YDQherf4xXO57KyEonSSSwNEM8FiF8rmNfuN7Ik5hbWUi%3D%3D';

const apply = (query: string, route = uploadRoute()) =>
  secondQuestionMark.request?.(requestView({ method: 'PUT', route, query }), {});

describe('second-question-mark', () => {
  it.each([
    ['the digest behind the state', `${state}?digest=${someDigest}`, `${state}&digest=${someDigest}`],
    ['the state behind the digest', `digest=${someDigest}?${state}`, `digest=${someDigest}&${state}`],
    ['two question marks in a row', `?digest=${someDigest}`, `digest=${someDigest}`],
  ])('joins %s with &', (_, query, expected) => {
    expect(apply(query)).toEqual({ note: 'turned a second ? into &', query: expected });
    expect(apply(expected)).toBeUndefined();
  });

  it('finds a query that was appended to a Location without one', () => {
    const change = apply('', uploadRoute(`b0a2c7de&digest=${someDigest}`));
    expect(change).toEqual({
      note: 'found the query in the path',
      route: uploadRoute('b0a2c7de'),
      query: `digest=${someDigest}`,
    });
    expect(apply(change?.query ?? '', uploadRoute('b0a2c7de'))).toBeUndefined();
  });

  it('keeps a query that follows one in the path', () => {
    expect(apply(`${state}?x=1`, uploadRoute(`b0a2c7de&digest=${someDigest}`))).toEqual({
      note: 'found the query in the path',
      route: uploadRoute('b0a2c7de'),
      query: `digest=${someDigest}&${state}&x=1`,
    });
  });

  it('leaves healthy uploads, other question marks and other addresses alone', () => {
    expect(apply(`${state}&digest=${someDigest}`)).toBeUndefined();
    expect(apply('_state=why?&digest=x')).toBeUndefined();
    expect(apply('', uploadRoute('a&b=c'))).toBeUndefined();
    expect(apply('', uploadRoute('&digest=x'))).toBeUndefined();
    expect(apply('a=1?digest=2', uploadStartRoute())).toBeUndefined();
  });
});
