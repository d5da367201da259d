import { describe, expect, it } from 'vitest';
import { describeStartFailure, describeSystemError } from '../../src/lib/system-error.ts';

function systemError(code: string, facts: object): Error {
  return Object.assign(new Error(`${code}: something terse`), { code, ...facts });
}

describe('describeSystemError', () => {
  it('says in words what a code means', () => {
    expect(describeSystemError(systemError('EROFS', {}))).toBe('the file system is read-only');
  });

  it('leaves other errors as they are', () => {
    expect(describeSystemError(systemError('EWEIRD', {}))).toBe('EWEIRD: something terse');
    expect(describeSystemError(new Error('the cache is in use'))).toBe('the cache is in use');
    expect(describeSystemError('text')).toBe('text');
  });
});

describe('describeStartFailure', () => {
  it('names the address that is taken', () => {
    const error = systemError('EADDRINUSE', { address: '127.0.0.1', port: 5000 });
    expect(describeStartFailure(error)).toBe('cannot listen on 127.0.0.1:5000: another program listens there already');
  });

  it('writes an IPv6 address in brackets', () => {
    const error = systemError('EADDRINUSE', { address: '::1', port: 5000 });
    expect(describeStartFailure(error)).toContain('cannot listen on [::1]:5000: ');
  });

  it('names the host that nobody knows', () => {
    const error = systemError('ENOTFOUND', { hostname: 'nowhere.example.com' });
    expect(describeStartFailure(error)).toBe('cannot listen on nowhere.example.com: no such host');
  });

  it('names the path that cannot be used', () => {
    const error = systemError('ENOTDIR', { path: '/srv/cache' });
    expect(describeStartFailure(error)).toBe('cannot use /srv/cache: a part of the path is not a directory');
  });

  it('keeps the sentence of an error that has one', () => {
    expect(describeStartFailure(new Error('the cache is in use'))).toBe('the cache is in use');
  });
});
