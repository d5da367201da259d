import { describe, expect, it } from 'vitest';
import { certificateMistake } from '../../src/lib/certificate.ts';
import { makeCertificate } from '../support/certificate.ts';

const mistakeIn = (cert: string, key: string) => certificateMistake({ cert: Buffer.from(cert), key: Buffer.from(key) });

describe('a certificate', () => {
  const authority = makeCertificate({ name: 'authority' });
  const one = makeCertificate({ name: 'one', hosts: ['localhost'], issuer: authority });
  const other = makeCertificate({ name: 'other' });

  it('can be served with its own key, alone and with its chain', () => {
    expect(mistakeIn(one.certificate, one.key)).toBeUndefined();
    expect(mistakeIn(one.certificate + authority.certificate, one.key)).toBeUndefined();
  });

  it.each([
    ['', one.key, 'cert', 'holds no certificate in PEM'],
    [one.key, one.key, 'cert', 'holds no certificate in PEM'],
    [one.certificate.slice(0, 200), one.key, 'cert', 'holds no certificate in PEM'],
    [one.certificate, '', 'key', 'holds no private key in PEM'],
    [one.certificate, one.certificate, 'key', 'holds no private key in PEM'],
    [one.certificate, other.key, 'key', 'is not the key of the certificate'],
    [authority.certificate + one.certificate, one.key, 'key', 'is not the key of the certificate'],
  ])('cannot be served otherwise (%#)', (cert, key, file, problem) => {
    expect(mistakeIn(cert, key)).toEqual({ file, problem: expect.stringContaining(problem) });
  });

  it('cannot be served with a broken chain', () => {
    const broken = one.certificate + authority.certificate.replace(/\n.{64}\n/, '\nAAAA\n');
    expect(mistakeIn(broken, one.key)).toEqual({ file: 'cert', problem: 'holds a certificate that cannot be used' });
  });
});
