import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Config } from '../../src/config/config.ts';
import { type ConfigFlags, type ConfigResult, loadConfig } from '../../src/config/load.ts';
import type { Fix } from '../../src/fixes/fix.ts';
import { temporaryDirectory } from '../support/temporary.ts';

/** A catalogue that no test of the configuration needs to change with the real one. */
export const sampleFixes: readonly Fix[] = [
  {
    id: 'add-type',
    title: 'Adds the type',
    symptom: 'No type',
    defaultMode: 'on',
    digest: 'by tag',
    options: { force: { values: ['no', 'yes'], default: 'no', description: 'Even when signed.' } },
  },
  { id: 'watch-only', title: 'Watches', symptom: 'None', defaultMode: 'observe', digest: 'unchanged' },
];

/** The smallest configuration. */
export const SMALLEST = { upstreams: { hub: { url: 'https://registry.example.com' } } };

interface Given {
  /** YAML text, or what to write as YAML. */
  readonly file?: string | object;
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: ConfigFlags;
  readonly fixes?: readonly Fix[];
}

/** Loads a configuration from a file of its own, in the way of the command line. */
export async function load({ file, env = {}, flags = {}, fixes = sampleFixes }: Given): Promise<ConfigResult> {
  if (file === undefined) return loadConfig({ flags, env, fixes });
  await using directory = await temporaryDirectory();
  const config = join(directory.path, 'config.yaml');
  await writeFile(config, typeof file === 'string' ? file : stringify(file));
  const result = loadConfig({ flags: { config, ...flags }, env, fixes });
  if ('config' in result) return result;
  return { mistakes: result.mistakes.map((mistake) => mistake.replaceAll(config, 'FILE')) };
}

/** @throws an error with the mistakes when the configuration is wrong */
export async function loadValid(given: Given): Promise<Config> {
  const result = await load(given);
  if ('config' in result) return result.config;
  throw new Error(result.mistakes.join('\n'));
}

/** The mistakes of a configuration; none when it is valid. */
export async function mistakesIn(given: Given): Promise<readonly string[]> {
  const result = await load(given);
  return 'mistakes' in result ? result.mistakes : [];
}
