import { availableParallelism, cpus, release, tmpdir, totalmem } from 'node:os';
import { run } from '../../test/support/process.ts';
import { GIB } from '../data/sizes.ts';

/** The machine and the versions that the figures belong to; nothing that names the machine itself. */
export async function describeMachine(): Promise<Readonly<Record<string, string>>> {
  return {
    processor: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores`,
    memory: `${Math.round(totalmem() / GIB)} GiB`,
    kernel: `${process.platform} ${release()}`,
    'file system': (await run('stat', ['--file-system', '--format=%T', tmpdir()])).stdout.trim(),
    node: process.version,
    nginx: await versionOf('nginx', '-v'),
    'docker-registry': await versionOf('docker-registry', '--version'),
    wrk: await versionOf('wrk', '-v'),
  };
}

async function versionOf(program: string, flag: string): Promise<string> {
  const { stdout, stderr } = await run(program, [flag]);
  return /\d+\.\d+[\w.+~-]*/.exec(stdout + stderr)?.[0] ?? 'unknown';
}
