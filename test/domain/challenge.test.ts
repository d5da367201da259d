import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { challengeOf, formatChallenge, parseChallenges } from '../../src/domain/challenge.ts';

const read = (...values: readonly string[]) =>
  parseChallenges(values).map(({ scheme, token68, parameters }) => [scheme, token68 ?? Object.fromEntries(parameters)]);

describe('challenges of WWW-Authenticate', () => {
  it.each([
    [
      'one of docker-registry',
      ['Bearer realm="https://auth.example.com/token",service="registry.example.com",scope="repository:a/b:pull,push"'],
      [
        [
          'Bearer',
          {
            realm: 'https://auth.example.com/token',
            service: 'registry.example.com',
            scope: 'repository:a/b:pull,push',
          },
        ],
      ],
    ],
    ['a scheme in lower case', ['bearer realm="r"'], [['bearer', { realm: 'r' }]]],
    [
      'several in one field',
      ['Basic realm="a, b", Bearer realm="c",error="invalid_token", Negotiate'],
      [
        ['Basic', { realm: 'a, b' }],
        ['Bearer', { realm: 'c', error: 'invalid_token' }],
        ['Negotiate', {}],
      ],
    ],
    [
      'several fields',
      ['Negotiate', 'Basic realm="x"'],
      [
        ['Negotiate', {}],
        ['Basic', { realm: 'x' }],
      ],
    ],
    [
      'a token in place of parameters',
      ['Negotiate YWJj==, NTLM TlRM, Basic realm=x'],
      [
        ['Negotiate', 'YWJj=='],
        ['NTLM', 'TlRM'],
        ['Basic', { realm: 'x' }],
      ],
    ],
    ['escaped quotes', [String.raw`Basic realm="a \"b\" \\c"`], [['Basic', { realm: String.raw`a "b" \c` }]]],
    [
      'blanks around signs, names in capitals, and empty elements',
      [' ,, Bearer  Realm = "r" ,\tSCOPE="s" ,'],
      [['Bearer', { realm: 'r', scope: 's' }]],
    ],
    [
      'values without quotes',
      ['Bearer realm=https://a/token,service=b'],
      [['Bearer', { realm: 'https://a/token', service: 'b' }]],
    ],
    ['a quote that is never closed', ['Bearer realm="https://a'], [['Bearer', { realm: 'https://a' }]]],
    ['a name that is repeated', ['Bearer realm="good",realm="evil"'], [['Bearer', { realm: 'good' }]]],
    ['a value that is missing', ['Bearer service="s",realm='], [['Bearer', { service: 's', realm: '' }]]],
    ['nothing', ['', ' , '], []],
    ['what is no challenge', ['"realm"', '@ Bearer realm="r"'], []],
  ])('are read: %s', (_, values, expected) => {
    expect(read(...values)).toEqual(expected);
  });

  it('are found by their scheme in any case', () => {
    const challenges = parseChallenges(['Basic realm="b", BEARER realm="t"']);
    expect(challengeOf(challenges, 'bearer')?.parameters.get('realm')).toBe('t');
    expect(challengeOf(challenges, 'digest')).toBeUndefined();
  });

  it.each(['Negotiate', 'Negotiate YWJj==', String.raw`Bearer realm="a \"b\"",service="c,d"`])(
    'are written as they were read: %s',
    (text) => {
      expect(parseChallenges([text]).map(formatChallenge)).toEqual([text]);
    },
  );

  it('have parameters or a token68, never both', () => {
    expect(parseChallenges(['B a,B='])).toEqual([{ scheme: 'B', token68: 'a', parameters: new Map() }]);
  });

  it('never fail and never hang, and what was read is read again the same', () => {
    const odd = fc.string({ unit: fc.constantFrom(...' ,="\\aB/:\t%') });
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), odd)), (values) => {
        const challenges = parseChallenges(values);
        expect(challenges.flatMap((challenge) => parseChallenges([formatChallenge(challenge)]))).toEqual(challenges);
      }),
    );
  });
});
