import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandResult, run, runSuccessfully, startProcess } from '../process.ts';
import { temporaryDirectory } from '../temporary.ts';

interface ContainerdOptions {
  /** Content of a `hosts.toml` for each registry, or `_default`, for pulls with `--hosts-dir` and so with `?ns=`. */
  readonly hosts?: Readonly<Record<string, string>>;
}

/** An image as containerd's image store names it. */
export interface ContainerdImage {
  readonly name: string;
  readonly mediaType: string;
  readonly digest: string;
}

/** A containerd with its own root, state and socket. */
export interface Containerd extends AsyncDisposable {
  readonly socket: string;
  ctr(...args: string[]): Promise<CommandResult>;
  /** Fetches and unpacks every platform, so that what was pulled can be pushed whole; as nobody, or as `NAME:PASSWORD`. */
  pull(reference: string, user?: string): Promise<CommandResult>;
  /** Fetches the content of every platform without unpacking it. */
  fetch(reference: string): Promise<CommandResult>;
  /** Pushes `localReference` (by default an image of the same name) with every platform it has. */
  push(reference: string, localReference?: string, user?: string): Promise<CommandResult>;
  images(): Promise<ContainerdImage[]>;
  stop(): Promise<void>;
}

/** Starts containerd. `stop` ends it and deletes its state. */
export async function startContainerd({ hosts = {} }: ContainerdOptions = {}): Promise<Containerd> {
  const home = await temporaryDirectory();
  const socket = join(home.path, 'sock');
  const file = join(home.path, 'config.toml');
  await writeFile(file, configuration(home.path, socket));
  const hostsDirectory = await writeHosts(home.path, hosts);
  const daemon = await startProcess('containerd', ['--config', file], { ready: /containerd successfully booted/ });
  const remote = hostsDirectory === undefined ? ['--plain-http'] : ['--hosts-dir', hostsDirectory];
  const as = (user: string | undefined) => (user === undefined ? [] : ['--user', user]);
  const ctr = (...args: string[]) => run('ctr', ['--address', socket, ...args]);
  const stop = async () => {
    await daemon.stop();
    await home.remove();
  };
  return {
    socket,
    ctr,
    pull: (reference, user) =>
      ctr('images', 'pull', ...remote, ...as(user), '--snapshotter', 'native', '--all-platforms', reference),
    fetch: (reference) => ctr('content', 'fetch', ...remote, '--all-platforms', reference),
    push: (reference, localReference = reference, user) =>
      ctr('images', 'push', ...remote, ...as(user), reference, localReference),
    images: async () => {
      const { stdout } = await runSuccessfully('ctr', ['--address', socket, 'images', 'list']);
      return parseImages(stdout);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

// The CRI plugin is of no use here and reaches for the machine's network configuration.
function configuration(directory: string, socket: string): string {
  return `version = 2
root = "${join(directory, 'root')}"
state = "${join(directory, 'state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "${socket}"
[ttrpc]
  address = "${socket}.ttrpc"
`;
}

async function writeHosts(directory: string, hosts: Readonly<Record<string, string>>): Promise<string | undefined> {
  const entries = Object.entries(hosts);
  if (entries.length === 0) return undefined;
  const hostsDirectory = join(directory, 'hosts');
  for (const [registry, content] of entries) {
    await mkdir(join(hostsDirectory, registry), { recursive: true });
    await writeFile(join(hostsDirectory, registry, 'hosts.toml'), content);
  }
  return hostsDirectory;
}

function parseImages(table: string): ContainerdImage[] {
  const [, ...rows] = table.trim().split('\n');
  return rows.map((row) => {
    const [name = '', mediaType = '', digest = ''] = row.split(/\s+/);
    return { name, mediaType, digest };
  });
}
