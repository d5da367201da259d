import { describe, expect, it } from 'vitest';
import { parseAuthorization } from '../../src/auth/authorization.ts';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('the Authorization field', () => {
  it.each([
    [basic('bob:secret'), { scheme: 'basic', user: 'bob', password: 'secret' }],
    [basic('bob:a:b'), { scheme: 'basic', user: 'bob', password: 'a:b' }],
    [basic('bob:'), { scheme: 'basic', user: 'bob', password: '' }],
    [basic('jürgen:grün'), { scheme: 'basic', user: 'jürgen', password: 'grün' }],
    [
      basic('bob:secret').replace(/=*$/, '').replace('Basic', 'bASIC'),
      { scheme: 'basic', user: 'bob', password: 'secret' },
    ],
    ['Bearer abc.def-_~+/=', { scheme: 'bearer', token: 'abc.def-_~+/=' }],
    ['bearer  abc ', { scheme: 'bearer', token: 'abc' }],
  ])('%s is read', (written, credentials) => {
    expect(parseAuthorization(written)).toEqual(credentials);
  });

  it.each([
    '',
    'Basic',
    'Basic ',
    basic('no colon'),
    'Digest username="bob"',
    'Bearer a b',
    'Bearer a\tb',
    'bob:secret',
  ])('"%s" says nothing', (written) => {
    expect(parseAuthorization(written)).toBeUndefined();
  });
});
