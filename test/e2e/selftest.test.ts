import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { run } from '../support/process.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

async function selftest(config: string, ...args: readonly string[]) {
  await using home = await temporaryDirectory();
  const file = join(home.path, 'config.yaml');
  await writeFile(file, config);
  return await run(process.execPath, [main, 'selftest', '--config', file, ...args]);
}

describe('manifix selftest', () => {
  it('shows a line for each fix, needs no registry, and exits with 0', async () => {
    const { code, stdout, stderr } = await selftest('upstreams: { hub: { url: "http://127.0.0.1:1" } }');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^endpoint default$/m);
    expect(stdout).toMatch(/^ {2}content-type-generic +pass$/m);
    expect(stdout).toMatch(/^ {2}library-prefix +not tested: only for upstreams of kind dockerhub$/m);
    expect(stdout).toMatch(/^\d+ pass, .*\d+ off, \d+ not tested\n$/m);
  });

  it('tells what it found as JSON', async () => {
    const { stdout } = await selftest(
      'upstreams: { hub: { url: "http://127.0.0.1:1" } }\nfixes: { content-type-generic: observe }',
      '--json',
    );
    const { passed, results } = JSON.parse(stdout);
    expect(passed).toBe(true);
    expect(results).toContainEqual({ endpoint: 'default', id: 'content-type-generic', outcome: 'observed' });
  });

  it('tells the mistakes of a configuration and exits with 2', async () => {
    const { code, stdout, stderr } = await selftest('upstream: {}');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('upstream');
  });
});
