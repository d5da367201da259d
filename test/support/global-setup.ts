import { existsSync } from 'node:fs';
import { runSuccessfully } from './process.ts';
import { type Tool, toolAvailable, toolPackages, unusableTools } from './tools.ts';

const INSTALL_DEADLINE = 600_000;

/**
 * Brings the real registries and clients that tests use: on Debian, as root, missing ones are installed.
 * Elsewhere it says which suites will be skipped, and why.
 * @throws with `CI=true`, when a program stays unusable
 */
export default async function globalSetup(): Promise<void> {
  // Object.keys forgets that these are the keys of that very table.
  const tools = Object.keys(toolPackages) as Tool[];
  const missing = tools.filter((tool) => !toolAvailable(tool));
  if (missing.length > 0 && canInstall()) await install(missing);
  const unusable = unusableTools(tools);
  if (unusable.length === 0) return;
  const message = `the suites that need these programs cannot run: ${unusable.join(', ')}`;
  if (process.env.CI === 'true') throw new Error(message);
  print(`${message}; they are skipped (as root on Debian the tests install what is missing)`);
}

function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version');
}

async function install(missing: readonly Tool[]): Promise<void> {
  const packages = [...new Set(missing.map((tool) => toolPackages[tool]))];
  print(`installing Debian packages for the interoperability tests: ${packages.join(' ')}`);
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeout: INSTALL_DEADLINE };
  try {
    await runSuccessfully('apt-get', ['update', '-qq'], options);
    await runSuccessfully('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options);
  } catch (error) {
    print(error instanceof Error ? error.message : String(error));
  }
}

function print(line: string): void {
  process.stderr.write(`${line}\n`);
}
