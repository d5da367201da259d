import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { callerOf, clientAddress, clientOrigin, trustCheck } from '../../src/http/client.ts';

describe('a trusted proxy', () => {
  const trusts = trustCheck(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1']);

  it.each(['10.1.2.3', '10.255.255.255', '192.0.2.7', '2001:db8:1::2', '::1', '::ffff:10.1.2.3'])(
    'is %s',
    (address) => {
      expect(trusts(address)).toBe(true);
    },
  );

  it.each(['11.0.0.1', '192.0.2.8', '2001:db9::1', '::2', '::ffff:11.0.0.1', '', undefined])('is not %s', (address) => {
    expect(trusts(address)).toBe(false);
  });

  it('is nobody when none is configured', () => {
    expect(['127.0.0.1', '::1', undefined].map(trustCheck([]))).toEqual([false, false, false]);
  });
});

describe('the origin that a client sees', () => {
  const host = 'registry.test:5000';
  const headers: HeaderList = [
    ['Host', host],
    ['X-Forwarded-Proto', 'HTTPS, http'],
    ['X-Forwarded-Host', 'public.test, inner.test'],
  ];

  /** A request that came from this address, over TLS or not. */
  function from(remoteAddress: string, encrypted = false): IncomingMessage {
    return new IncomingMessage(
      Object.defineProperties(new Socket(), {
        remoteAddress: { value: remoteAddress },
        encrypted: { value: encrypted },
      }),
    );
  }

  it('is made of the Host and the connection', () => {
    const trusts = trustCheck([]);
    expect(clientOrigin(from('192.0.2.1'), [], host, trusts)).toBe('http://registry.test:5000');
    expect(clientOrigin(from('192.0.2.1', true), [], '[::1]:5000', trusts)).toBe('https://[::1]:5000');
  });

  it('is what a trusted proxy says first, and nobody else', () => {
    const trusts = trustCheck(['192.0.2.1']);
    expect(clientOrigin(from('192.0.2.1'), headers, host, trusts)).toBe('https://public.test');
    expect(clientOrigin(from('192.0.2.2'), headers, host, trusts)).toBe('http://registry.test:5000');
  });

  it('falls back to the connection where the proxy says nothing of use', () => {
    const trusts = trustCheck(['192.0.2.1']);
    const odd: HeaderList = [
      ['X-Forwarded-Proto', 'gopher'],
      ['X-Forwarded-Host', ' , x'],
    ];
    expect(clientOrigin(from('192.0.2.1', true), odd, host, trusts)).toBe('http://registry.test:5000');
    expect(clientOrigin(from('192.0.2.1', true), [['X-Forwarded-Proto', '']], host, trusts)).toBe(
      'https://registry.test:5000',
    );
  });
});

describe('the identity of a caller', () => {
  const of = (...headers: HeaderList) => callerOf(headers);

  it('is the same for the same credentials, whatever else the request says', () => {
    const one = of(['Authorization', 'Basic YTph'], ['Accept', 'a']);
    expect(of(['User-Agent', 'x'], ['authorization', 'Basic YTph'])).toEqual(one);
    expect(one.anonymous).toBe(false);
  });

  it('differs for other credentials, cookies, and the same words in other fields', () => {
    const callers = [
      of(),
      of(['Authorization', 'a']),
      of(['Authorization', 'b']),
      of(['Cookie', 'a']),
      of(['Authorization', 'a'], ['Cookie', 'a']),
      of(['Authorization', 'a'], ['Authorization', 'b']),
      of(['Authorization', '']),
      of(['X-JFrog-Art-Api', 'a']),
      of(['Private-Token', 'a']),
    ];
    expect(new Set(callers.map(({ identity }) => identity)).size).toBe(callers.length);
    const [nobody, ...somebody] = callers.map(({ anonymous }) => anonymous);
    expect([nobody, ...new Set(somebody)]).toEqual([true, false]);
  });

  it('differs for another query, which may hold a token', () => {
    const anonymous = callerOf([], '');
    const others = ['token=a', 'token=b', 'token=a&x=1', 'x=1&token=c'].map((query) => callerOf([], query));
    expect(new Set([anonymous, ...others].map(({ identity }) => identity)).size).toBe(5);
    expect(others.map((caller) => caller.anonymous)).toEqual([false, false, false, false]);
  });

  it('does not depend on which part of a list is wanted', () => {
    for (const query of ['n=100', 'n=100&last=b', 'artifactType=example/sbom']) {
      expect(callerOf([], query)).toEqual({ identity: 'anonymous', anonymous: true });
    }
    expect(callerOf([], 'n=100&token=a').anonymous).toBe(false);
  });

  it('does not reveal the credentials', () => {
    const { identity } = of(['Authorization', 'Basic YTph'], ['Cookie', 'session=42']);
    expect(identity).toMatch(/^[\w-]{43}$/);
    for (const secret of ['YTph', 'a:a', 'session', '42=']) expect(identity).not.toContain(secret);
  });
});

describe('the address of a client', () => {
  const trusts = trustCheck(['10.0.0.0/8', '2001:db8::/32']);

  function addressOf(remoteAddress: string, ...forwarded: readonly string[]): string {
    const incoming = new IncomingMessage(
      Object.defineProperties(new Socket(), { remoteAddress: { value: remoteAddress } }),
    );
    const headers = forwarded.map((value) => ['X-Forwarded-For', value] as const);
    return clientAddress(incoming, headers, trusts);
  }

  it('is that of its connection, whatever it says', () => {
    expect(addressOf('192.0.2.1')).toBe('192.0.2.1');
    expect(addressOf('192.0.2.1', '198.51.100.1')).toBe('192.0.2.1');
  });

  it('is what a trusted proxy says, and not what the client told that proxy', () => {
    expect(addressOf('10.0.0.1', '198.51.100.1')).toBe('198.51.100.1');
    expect(addressOf('10.0.0.1', '203.0.113.9, 198.51.100.1')).toBe('198.51.100.1');
    expect(addressOf('10.0.0.1', '203.0.113.9', '198.51.100.1, 10.0.0.2')).toBe('198.51.100.1');
  });

  it.each([
    ['198.51.100.1:4711', '198.51.100.1'],
    ['[2001:db9::1]:4711', '2001:db9::1'],
    ['[2001:db9::1]', '2001:db9::1'],
    ['2001:db9::1', '2001:db9::1'],
    ['unknown', '10.0.0.1'],
    ['', '10.0.0.1'],
  ])('is, where the proxy says "%s", %s', (said, address) => {
    expect(addressOf('10.0.0.1', said)).toBe(address);
  });

  it('is that of the proxy when it says nothing, or of the last that was one', () => {
    expect(addressOf('10.0.0.1')).toBe('10.0.0.1');
    expect(addressOf('10.0.0.1', '10.0.0.2, 10.0.0.3')).toBe('10.0.0.2');
  });
});
