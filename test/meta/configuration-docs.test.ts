import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeConfiguration } from '../../src/config/describe.ts';
import { listKeys } from '../../src/config/reference.ts';
import { configSchema } from '../../src/config/schema.ts';
import { FIXES } from '../../src/fixes/index.ts';
import { loadValid } from '../config/support.ts';
import { makeCertificate } from '../support/certificate.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const example = read('config.yaml');
// Prose has one space behind its sign, keys have none or their indentation.
const allKeysSet = example.replaceAll(/^( *)#(?! \S)/gm, '$1');

describe('docs/configuration.md', () => {
  it('is what `npm run docs` writes', () => {
    expect(read('docs/configuration.md')).toBe(describeConfiguration(FIXES, example));
  });
});

describe('the reference', () => {
  it('says of every key what it means', () => {
    const silent = listKeys(configSchema(FIXES)).filter(({ meaning }) => !/^\S.*\.$/.test(meaning));
    expect(silent).toEqual([]);
  });
});

describe('config.yaml', () => {
  it('is valid, as it is and with every commented key set', async () => {
    const asItIs = await loadValid({ file: example, fixes: FIXES });
    await using directory = await temporaryDirectory();
    const { certificate, key } = makeCertificate({ name: 'manifix' });
    for (const name of ['tls', 'client', 'authority']) {
      await writeFile(join(directory.path, `${name}.crt`), certificate);
      await writeFile(join(directory.path, `${name}.key`), key);
    }
    await writeFile(join(directory.path, 'users.htpasswd'), `bob:$2y$05$${'a'.repeat(53)}\n`);
    const complete = await loadValid({ file: allKeysSet.replaceAll('/etc/manifix', directory.path), fixes: FIXES });
    expect(asItIs.endpoints).toMatchObject([{ name: 'default', upstream: 'hub' }]);
    expect(complete.endpoints).toMatchObject([{ name: 'default' }, { name: 'team', host: 'team.example.com' }]);
  });

  it('shows every key there is', () => {
    const words = listKeys(configSchema(FIXES)).map(({ key }) => key.split('.').at(-1) ?? key);
    expect(words.filter((word) => !new RegExp(`^[ -]*${word}:`, 'm').test(allKeysSet))).toEqual([]);
  });
});
