import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandResult, run, startProcess } from '../process.ts';
import { temporaryDirectory } from '../temporary.ts';
import { startContainerd } from './containerd.ts';

interface DockerdOptions {
  /** URLs that stand in for the Docker Hub. */
  readonly registryMirrors?: readonly string[];
}

/** A Docker engine with its own data, socket and containerd; without bridge and packet filter. */
export interface Dockerd extends AsyncDisposable {
  docker(...args: string[]): Promise<CommandResult>;
  /** The environment of the command, for a test that runs it itself. */
  readonly env: Readonly<Record<string, string>>;
  output(): string;
  stop(): Promise<void>;
}

/** Starts dockerd, which takes a few seconds. `stop` ends it and deletes its data. */
export async function startDockerd({ registryMirrors = [] }: DockerdOptions = {}): Promise<Dockerd> {
  await using started = new AsyncDisposableStack();
  const home = started.use(await temporaryDirectory());
  // An engine that finds the machine's containerd would use it.
  const containerd = started.use(await startContainerd());
  const socket = `unix://${join(home.path, 'sock')}`;
  const env = { DOCKER_CONFIG: join(home.path, 'client'), DOCKER_HOST: socket };
  await mkdir(env.DOCKER_CONFIG);
  await writeFile(join(home.path, 'daemon.json'), '{}');
  // An engine that does not end in order leaves its data directory mounted on itself.
  started.defer(async () => void (await run('umount', ['--lazy', join(home.path, 'data')])));
  const daemon = started.use(
    await startProcess('dockerd', engineFlags(home.path, socket, containerd.socket, registryMirrors), {
      ready: /API listen on/,
    }),
  );
  const everything = started.move();
  const stop = () => everything.disposeAsync();
  return {
    docker: (...args) => run('docker', args, { env }),
    env,
    output: daemon.output,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function engineFlags(directory: string, socket: string, containerd: string, mirrors: readonly string[]): string[] {
  return [
    ...['--config-file', join(directory, 'daemon.json')],
    ...['--data-root', join(directory, 'data')],
    ...['--exec-root', join(directory, 'exec')],
    ...['--pidfile', join(directory, 'pid')],
    ...['--host', socket],
    ...['--containerd', containerd],
    ...['--storage-driver', 'vfs'],
    ...['--bridge', 'none'],
    '--iptables=false',
    '--ip6tables=false',
    ...mirrors.flatMap((mirror) => ['--registry-mirror', mirror]),
  ];
}
