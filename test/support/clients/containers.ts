import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandResult, run } from '../process.ts';
import { temporaryDirectory } from '../temporary.ts';

interface ContainersOptions {
  /** Content of `registries.conf`. */
  readonly registriesConf?: string;
}

/** skopeo, podman and buildah with storage and configuration of their own. */
export interface ContainersHome extends AsyncDisposable {
  readonly directory: string;
  /** The environment of the tools, for a test that starts one itself. */
  readonly env: Readonly<Record<string, string>>;
  skopeo(...args: string[]): Promise<CommandResult>;
  podman(...args: string[]): Promise<CommandResult>;
  buildah(...args: string[]): Promise<CommandResult>;
  stop(): Promise<void>;
}

const policy = { default: [{ type: 'insecureAcceptAnything' }] };

/** Makes an empty home for the containers tools. `stop` deletes it with every image pulled into it. */
export async function openContainersHome({ registriesConf = '' }: ContainersOptions = {}): Promise<ContainersHome> {
  const home = await temporaryDirectory();
  const directory = home.path;
  const configuration = join(directory, '.config', 'containers');
  await mkdir(configuration, { recursive: true });
  await writeFile(join(configuration, 'policy.json'), JSON.stringify(policy));
  await writeFile(join(configuration, 'registries.conf'), registriesConf);
  await writeFile(join(configuration, 'storage.conf'), storageConfiguration(directory));
  await writeFile(join(configuration, 'containers.conf'), engineConfiguration(directory));
  await writeFile(join(directory, 'auth.json'), '{}');
  const env = {
    HOME: directory,
    XDG_RUNTIME_DIR: directory,
    TMPDIR: directory,
    CONTAINERS_REGISTRIES_CONF: join(configuration, 'registries.conf'),
    CONTAINERS_CONF: join(configuration, 'containers.conf'),
    CONTAINERS_STORAGE_CONF: join(configuration, 'storage.conf'),
    REGISTRY_AUTH_FILE: join(directory, 'auth.json'),
    BUILDAH_ISOLATION: 'chroot',
  };
  async function stop(): Promise<void> {
    if (process.getuid?.() !== 0) {
      // Without root podman leaves a process that keeps its namespace, and directories of images that nobody may write.
      await run('podman', ['system', 'migrate'], { env }).catch(() => undefined);
      await run('chmod', ['-R', 'u+w', directory]);
    }
    await home.remove();
  }
  return {
    directory,
    env,
    skopeo: (...args) => run('skopeo', args, { env }),
    podman: (...args) => run('podman', args, { env }),
    buildah: (...args) => run('buildah', args, { env }),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function storageConfiguration(directory: string): string {
  return `[storage]
driver = "vfs"
graphroot = "${join(directory, 'root')}"
runroot = "${join(directory, 'run')}"
`;
}

// podman keeps its locks in a file of the machine, where two that are the first ones get into each other's way.
function engineConfiguration(directory: string): string {
  return `[engine]
lock_type = "file"
tmp_dir = "${join(directory, 'libpod')}"
events_logger = "none"
`;
}
