import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAccept } from '../../src/domain/accept.ts';
import { type HeaderList, headerValues } from '../../src/domain/headers.ts';
import { MANIFEST_TYPES, OCI_INDEX, OCI_MANIFEST } from '../../src/domain/media-type.ts';
import { acceptShape } from '../../src/fixes/accept-shape.ts';
import { blobRoute, requestView } from '../support/views.ts';

const ask = (headers: HeaderList, overrides = {}) => acceptShape.request?.(requestView({ headers, ...overrides }), {});
const acceptAfter = (headers: HeaderList) => headerValues(ask(headers)?.headers ?? [], 'Accept');

describe('accept-shape', () => {
  it('joins one line per type, as podman sends them, into one', () => {
    const lines = MANIFEST_TYPES.map((type) => ['Accept', type] as const);
    expect(ask([['User-Agent', 'containers/5'], ...lines])?.headers).toEqual([
      ['User-Agent', 'containers/5'],
      ['Accept', MANIFEST_TYPES.join(', ')],
    ]);
  });

  it.each([
    ['weights and other parameters', `${OCI_INDEX};q=0.9, ${OCI_MANIFEST}; charset=utf-8`],
    ['capitals', `APPLICATION/VND.OCI.IMAGE.INDEX.V1+JSON, ${OCI_MANIFEST}`],
    ['repetitions', `${OCI_INDEX}, ${OCI_MANIFEST}, ${OCI_INDEX}`],
    ['missing spaces', `${OCI_INDEX},${OCI_MANIFEST}`],
    ['what the client rules out', `${OCI_INDEX}, text/html;q=0, ${OCI_MANIFEST}`],
  ])('takes out %s', (_, value) => {
    expect(acceptAfter([['accept', value]])).toEqual([`${OCI_INDEX}, ${OCI_MANIFEST}`]);
  });

  it.each(['GET', 'HEAD'])('works on %s', (method) => {
    expect(ask([['Accept', '*/*;q=1']], { method })?.note).toBe('wrote Accept as one line of plain types');
  });

  it.each([
    ['one plain line', [['Accept', `${OCI_INDEX}, ${OCI_MANIFEST}`]]],
    ['no Accept at all', []],
    ['an Accept that names nothing', [['Accept', ' , ;q=1']]],
    ['an Accept that rules everything out', [['Accept', '*/*;q=0']]],
  ] satisfies [string, HeaderList][])('leaves %s alone', (_, headers) => {
    expect(ask(headers)).toBeUndefined();
  });

  it('leaves other requests than reads of manifests alone', () => {
    expect(ask([['Accept', '*/*;q=1']], { method: 'PUT' })).toBeUndefined();
    expect(ask([['Accept', '*/*;q=1']], { route: blobRoute() })).toBeUndefined();
  });

  it('never changes what the client accepts, and is done after one time', () => {
    const value = fc.string({
      unit: fc.constantFrom('a/b', 'A/B', '*/*', ',', ';', 'q=0', 'q=.5', '"', ' ', OCI_INDEX),
    });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 4 }), (values) => {
        const headers = values.map((line) => ['Accept', line] as const);
        const change = ask(headers);
        if (change?.headers === undefined) return;
        expect(parseAccept(headerValues(change.headers, 'Accept'))).toEqual(parseAccept(values));
        expect(ask(change.headers)).toBeUndefined();
      }),
    );
  });
});
