import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { warningsOf } from '../../src/config/warnings.ts';
import { makeCertificate } from '../support/certificate.ts';
import { passwordLine } from '../support/password-line.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { loadValid } from './support.ts';

it('files of hashes and keys that everybody can read are told, with what to do', async () => {
  await using directory = await temporaryDirectory();
  const { certificate, key } = makeCertificate({ name: 'manifix' });
  const at = (name: string) => join(directory.path, name);
  for (const [name, content] of Object.entries({ certificate, key, users: passwordLine('bob', 'secret') })) {
    await writeFile(at(name), content);
  }
  const tls = { cert: at('certificate'), key: at('key') };
  const config = await loadValid({
    file: {
      tls,
      upstreams: { hub: { url: 'https://registry.example.com', credentials: 'none', tls } },
      endpoints: [{ auth: { htpasswd: at('users') }, rights: [{ who: ['bob'], allow: ['pull'] }] }],
    },
  });
  const all = (mode: number) => Promise.all(['certificate', 'key', 'users'].map((name) => chmod(at(name), mode)));
  await all(0o644);
  const told = (name: string) => `${at(name)} can be read by everybody on this machine; run: chmod o-rwx ${at(name)}`;
  expect(warningsOf(config)).toEqual([
    `tls.key: ${told('key')}`,
    `upstreams.hub.tls.key: ${told('key')}`,
    `endpoints[0].auth.htpasswd: ${told('users')}`,
  ]);
  await all(0o640);
  expect(warningsOf(config)).toEqual([]);
});
