import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { loadValid, mistakesIn } from './support.ts';

const url = 'https://registry.example.com';
const fileWith = (tls: unknown) => ({ upstreams: { hub: { url, tls } } });
const { certificate, key } = makeCertificate({ name: 'manifix' });
const files = {
  ca: certificate + makeCertificate({ name: 'another' }).certificate,
  cert: certificate,
  key,
  otherKey: makeCertificate({ name: 'other' }).key,
  text: 'no PEM',
  broken: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
};

async function writtenFiles() {
  const directory = await temporaryDirectory();
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory.path, name), text);
  return { at: (name: string) => join(directory.path, name), [Symbol.asyncDispose]: () => directory.remove() };
}

describe('tls of an upstream', () => {
  it('is what is in its files, and nothing when none is named', async () => {
    await using written = await writtenFiles();
    const tls = { ca: written.at('ca'), cert: written.at('cert'), key: written.at('key') };
    const [ca, cert, secret] = [files.ca, files.cert, files.key].map((text) => Buffer.from(text));
    expect((await loadValid({ file: fileWith(tls) })).upstreams.hub?.tls).toEqual({
      ca,
      client: { cert, key: secret },
    });
    expect((await loadValid({ file: fileWith({ ca: tls.ca }) })).upstreams.hub?.tls).toEqual({ ca });
    expect((await loadValid({ file: fileWith({}) })).upstreams.hub?.tls).toBeUndefined();
  });

  it.each([
    ['a missing authority', { ca: 'nowhere' }, 'ca: ', 'nowhere cannot be read: no such file or directory'],
    ['an authority that is no PEM', { ca: 'text' }, 'ca: ', 'the file holds no certificate in PEM'],
    ['a broken authority', { ca: 'broken' }, 'ca: ', 'the file holds a certificate that cannot be used'],
    ['a missing certificate', { cert: 'nowhere', key: 'key' }, 'cert: ', 'cannot be read: no such file or directory'],
    ['a certificate without its key', { cert: 'cert' }, 'key: ', 'required beside upstreams.hub.tls.cert'],
    ['a key without its certificate', { key: 'key' }, 'cert: ', 'required beside upstreams.hub.tls.key'],
    ['a certificate that is no PEM', { cert: 'text', key: 'key' }, 'cert: ', 'the file holds no certificate in PEM'],
    ['a key that is no PEM', { cert: 'cert', key: 'text' }, 'key: ', 'the file holds no private key in PEM'],
    ['the key of another', { cert: 'cert', key: 'otherKey' }, 'key: ', 'the file is not the key of the certificate'],
  ])('is refused with its place: %s', async (_, tls, place, message) => {
    await using written = await writtenFiles();
    const paths = Object.fromEntries(Object.entries(tls).map(([name, file]) => [name, written.at(file)]));
    const mistakes = await mistakesIn({ file: fileWith(paths) });
    expect(mistakes).toEqual([expect.stringContaining(message)]);
    expect(mistakes[0]).toMatch(new RegExp(`^upstreams\\.hub\\.tls\\.${place}`));
  });
});
