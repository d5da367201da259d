import { run } from '../test/support/process.ts';

/** The programs of the comparison; their Debian packages have the same names. */
const PROGRAMS = ['docker-registry', 'nginx', 'wrk'] as const;

/** Installs what is missing. @throws a sentence that says what is missing, when it cannot be installed */
export async function installPrograms(progress: (text: string) => void): Promise<void> {
  const missing = await missingPrograms();
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && (await isInstalled('apt-get'))) {
    progress(`installing ${missing.join(', ')}`);
    const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeout: 300_000 };
    await run('apt-get', ['update'], options);
    await run('apt-get', ['install', '-y', '--no-install-recommends', ...missing], options);
  }
  const still = await missingPrograms();
  if (still.length === 0) return;
  throw new Error(`the comparison needs ${still.join(', ')}; on Debian: apt-get install ${still.join(' ')}`);
}

async function missingPrograms(): Promise<readonly string[]> {
  const found = await Promise.all(PROGRAMS.map(isInstalled));
  return PROGRAMS.filter((_, index) => found[index] === false);
}

async function isInstalled(program: string): Promise<boolean> {
  const { code } = await run('sh', ['-c', 'command -v -- "$1"', 'sh', program]);
  return code === 0;
}
