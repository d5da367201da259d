import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { sampleImage } from '../support/images.ts';
import { run } from '../support/process.ts';
import { type Intercept, startRegistryDouble } from '../support/registry-double.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** What is under `app:1` before a repair. */
export const INDEX = sampleImage('index-nomt');

/** Runs the command on a configuration whose one registry this is. */
export const repair = (url: string, ...args: readonly string[]) => repairWith({ upstreams: { lab: { url } } }, args);

export async function repairWith(config: object, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  await using home = await temporaryDirectory();
  const file = join(home.path, 'config.yaml');
  await writeFile(file, stringify(config));
  return await run(process.execPath, [main, 'repair', ...args, '--config', file], { env });
}

/** A registry in memory that holds the index under `app:1`, and does this to every request. */
export async function registryThat(intercept: Intercept) {
  const registry = await startRegistryDouble({ intercept });
  registry.content.addImage('app', '1', INDEX);
  return registry;
}
