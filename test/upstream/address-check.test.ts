import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { createAddressCheck } from '../../src/upstream/address-check.ts';

const names: Readonly<Record<string, readonly string[]>> = {
  'hub.example.com': ['93.184.216.34'],
  'storage.example.com': ['93.184.216.35'],
  'rebound.example.com': ['93.184.216.36', '169.254.169.254'],
  'mapped.example.com': ['::ffff:10.0.0.1'],
  'registry.corp.example': ['10.0.0.5'],
  'minio.corp.example': ['10.0.0.6'],
};

const resolve: Parameters<typeof createAddressCheck>[2] = (hostname, _, done) => {
  const addresses: LookupAddress[] = (names[hostname] ?? []).map((address) => ({
    address,
    family: address.includes(':') ? 6 : 4,
  }));
  if (addresses.length === 0) done(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), []);
  else done(null, addresses);
};

function lookUp(check: ReturnType<typeof createAddressCheck>, hostname: string, all = true): Promise<unknown> {
  return new Promise((done) => {
    check.lookup(hostname, { all }, (error, address) => done(error === null ? address : error.code));
  });
}

describe('F19: a registry on the internet', () => {
  const check = createAddressCheck('hub.example.com', ['minio.corp.example', '10.0.0.7'], resolve);

  it.each([
    '127.0.0.1',
    '[::1]',
    '0.0.0.0',
    '169.254.169.254',
    '[::ffff:a9fe:a9fe]',
    '10.0.0.1',
    'localhost',
    'metadata.google.internal',
  ])('may not send manifix to %s', (host) => {
    expect(check.allowsHost(host)).toBe(false);
  });

  it.each(['storage.example.com', '93.184.216.34', 'hub.example.com', 'minio.corp.example', '10.0.0.7'])(
    'may send it to %s',
    (host) => {
      expect(check.allowsHost(host)).toBe(true);
    },
  );

  it('may not hide an internal address behind a name: one among several is enough, and the resolved one counts', async () => {
    expect(await lookUp(check, 'rebound.example.com')).toBe('INTERNAL_ADDRESS');
    expect(await lookUp(check, 'mapped.example.com')).toBe('INTERNAL_ADDRESS');
    expect(await lookUp(check, 'registry.corp.example')).toBe('INTERNAL_ADDRESS');
    expect(await lookUp(check, 'storage.example.com')).toEqual([{ address: '93.184.216.35', family: 4 }]);
    expect(await lookUp(check, 'storage.example.com', false)).toBe('93.184.216.35');
    expect(await lookUp(check, 'minio.corp.example', false)).toBe('10.0.0.6');
    expect(await lookUp(check, 'nowhere.example.com')).toBe('ENOTFOUND');
  });
});

describe('a registry of this network', () => {
  it('is asked for its own address before it is refused another one, as an upload may go on there after a reload', async () => {
    const check = createAddressCheck('registry.corp.example', [], resolve);
    expect(await lookUp(check, 'minio.corp.example', false)).toBe('10.0.0.6');
  });

  it.each(['127.0.0.1', '10.0.0.5', 'registry', 'localhost'])('may send manifix anywhere: %s', (own) => {
    expect(createAddressCheck(own, [], resolve).allowsHost('10.0.0.6')).toBe(true);
  });

  it('is known by the address of its name', async () => {
    const check = createAddressCheck('registry.corp.example', [], resolve);
    expect(await lookUp(check, 'registry.corp.example', false)).toBe('10.0.0.5');
    expect(check.allowsHost('10.0.0.6')).toBe(true);
    expect(await lookUp(check, 'minio.corp.example', false)).toBe('10.0.0.6');
  });
});

describe('F98: a name server that never answers', () => {
  it('takes one thread for each name, however many connections wait for it, and holds up no other name', async () => {
    const asked: string[] = [];
    const check = createAddressCheck('hub.example.com', [], (hostname, options, done) => {
      asked.push(hostname);
      if (hostname !== 'silent.example.com') resolve(hostname, options, done);
    });
    for (let connection = 0; connection < 64; connection += 1) void lookUp(check, 'silent.example.com');
    expect(await lookUp(check, 'storage.example.com', false)).toBe('93.184.216.35');
    expect(asked).toEqual(['silent.example.com', 'storage.example.com']);
  });

  it('is asked again for the next connection once it answered, because addresses change', async () => {
    const asked: string[] = [];
    const check = createAddressCheck('hub.example.com', [], (hostname, options, done) => {
      asked.push(hostname);
      resolve(hostname, options, done);
    });
    for (let time = 0; time < 2; time += 1) await lookUp(check, 'hub.example.com');
    expect(asked).toEqual(['hub.example.com', 'hub.example.com']);
  });
});
