import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { runSuccessfully } from './process.ts';
import { type Tool, toolAvailable, toolPackages, unusableTools } from './tools.ts';

const INSTALL_DEADLINE = 600_000;
/** A mirror fails in passing, and another program may be updating the lists of packages. */
const ATTEMPTS = 3;
const PAUSE = 10_000;
const APT_OPTIONS = ['-qq', '-o', 'Acquire::Retries=3', '-o', 'DPkg::Lock::Timeout=300'];

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
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    if (attempt > 1) await delay(PAUSE);
    try {
      await apt('update');
      await apt('install', '-y', '--no-install-recommends', ...packages);
      return;
    } catch (error) {
      print(error instanceof Error ? error.message : String(error));
    }
  }
}

async function apt(command: string, ...args: readonly string[]): Promise<void> {
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeout: INSTALL_DEADLINE };
  await runSuccessfully('apt-get', [...APT_OPTIONS, command, ...args], options);
}

function print(line: string): void {
  process.stderr.write(`${line}\n`);
}
