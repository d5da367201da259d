import { describe, expect, it } from 'vitest';
import { formatHostPort, parseHostPort } from '../../src/lib/address.ts';

describe('parseHostPort', () => {
  it.each([
    ['127.0.0.1:5000', '127.0.0.1', 5000],
    ['0.0.0.0:0', '0.0.0.0', 0],
    ['localhost:65535', 'localhost', 65_535],
    ['[::1]:5000', '::1', 5000],
    ['[::]:80', '::', 80],
  ])('reads %s, and formatHostPort writes it again', (text, host, port) => {
    expect(parseHostPort(text)).toEqual({ host, port });
    expect(formatHostPort({ host, port })).toBe(text);
  });

  it.each([
    '',
    '5000',
    ':5000',
    'localhost',
    'localhost:',
    '::1:5000',
    '[::1]',
    '[1.2]:5',
    'a:65536',
    'a b:1',
    'http://a:1',
  ])('refuses %j', (text) => {
    expect(parseHostPort(text)).toBeUndefined();
  });
});
