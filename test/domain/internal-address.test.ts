import { describe, expect, it } from 'vitest';
import { isInternalAddress, isInternalHost, isIpHost, isLoopbackHost } from '../../src/domain/internal-address.ts';

const hostOf = (host: string) => new URL(`http://${host}/`).hostname;

describe('an internal address', () => {
  it.each([
    '0.0.0.0',
    '10.255.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.168.1.1',
    '198.19.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::127.0.0.1',
    '64:ff9b::10.0.0.1',
    '2002:7f00:1::',
  ])('is %s', (address) => {
    expect(isInternalAddress(address)).toBe(true);
  });

  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.1',
    '192.0.1.1',
    '198.17.255.255',
    '223.255.255.255',
    '2606:4700::1111',
    '2001:db8:1:2:3:4:5:6',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    '2002:808:808::1',
  ])('is not %s', (address) => {
    expect(isInternalAddress(address)).toBe(false);
  });
});

describe('an internal host', () => {
  it.each([
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:10.0.0.1]',
    'localhost',
    'a.localhost',
    'registry',
    'nas.local',
    'x.internal',
    'y.lan',
    'z.home.arpa.',
  ])('is %s', (host) => {
    expect(isInternalHost(hostOf(host))).toBe(true);
  });

  it.each(['example.com', 'local.example.com', '8.8.8.8', '[2606:4700::1111]'])('is not %s', (host) => {
    expect(isInternalHost(hostOf(host))).toBe(false);
  });

  it('is told apart: an address, and this very machine', () => {
    expect(['1.2.3.4', '[::1]', 'a.b', '1.2.3.4.de'].map(isIpHost)).toEqual([true, true, false, false]);
    const hosts = ['localhost', 'LOCALHOST.', 'x.localhost', '127.1.2.3', '[::1]', '10.0.0.1', '127.example.com'];
    expect(hosts.map(isLoopbackHost)).toEqual([true, true, true, true, true, false, false]);
  });
});
