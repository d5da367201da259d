import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../images.ts';
import type { CommandResult } from '../process.ts';
import type { Tool } from '../tools.ts';
import { startContainerd } from './containerd.ts';
import { type ContainersHome, openContainersHome } from './containers.ts';
import { startDockerd } from './dockerd.ts';

/** What every client can do, so that one test can ask the same of each. References are `HOST:PORT/NAME:TAG` or `...@DIGEST`. */
export interface ImageClient extends AsyncDisposable {
  pull(reference: string): Promise<CommandResult>;
  /** The digests under which the client knows what it pulled: of the index and, with some clients, of its image too. */
  pulledDigests(reference: string): Promise<string[]>;
  /** Pushes what was pulled as `pulledReference` to another name. */
  push(pulledReference: string, destination: string): Promise<CommandResult>;
  stop(): Promise<void>;
}

interface ImageClientKind {
  readonly name: string;
  readonly tools: readonly Tool[];
  /** Starts the client with empty storage. */
  start(): Promise<ImageClient>;
}

/** The clients of the interoperability matrix. */
export const imageClients: readonly ImageClientKind[] = [
  { name: 'skopeo', tools: ['skopeo'], start: startSkopeo },
  { name: 'podman', tools: ['podman'], start: () => startContainersClient('podman') },
  { name: 'buildah', tools: ['buildah'], start: () => startContainersClient('buildah') },
  { name: 'containerd', tools: ['containerd', 'ctr'], start: startContainerdClient },
  { name: 'dockerd', tools: ['dockerd', 'docker', 'containerd'], start: startDockerdClient },
];

async function startSkopeo(): Promise<ImageClient> {
  const home = await openContainersHome();
  // skopeo has no image storage of its own: a directory for each reference stands in for it.
  const directoryOf = (reference: string) => join(home.directory, 'pulled', sha256(reference).slice('sha256:'.length));
  return {
    pull: async (reference) => {
      await mkdir(directoryOf(reference), { recursive: true });
      return home.skopeo(
        'copy',
        '--all',
        '--src-tls-verify=false',
        `docker://${reference}`,
        `dir:${directoryOf(reference)}`,
      );
    },
    pulledDigests: async (reference) => [sha256(await readFile(join(directoryOf(reference), 'manifest.json')))],
    push: (pulled, destination) =>
      home.skopeo('copy', '--all', '--dest-tls-verify=false', `dir:${directoryOf(pulled)}`, `docker://${destination}`),
    stop: home.stop,
    [Symbol.asyncDispose]: home.stop,
  };
}

async function startContainersClient(program: 'podman' | 'buildah'): Promise<ImageClient> {
  const home = await openContainersHome();
  const invoke = home[program];
  return {
    pull: (reference) => invoke('pull', '--tls-verify=false', reference),
    pulledDigests: (reference) => repositoryDigests(home, reference),
    push: (pulled, destination) => invoke('push', '--tls-verify=false', pulled, `docker://${destination}`),
    stop: home.stop,
    [Symbol.asyncDispose]: home.stop,
  };
}

// buildah does not show repository digests, but podman reads the same storage.
async function repositoryDigests(home: ContainersHome, reference: string): Promise<string[]> {
  const { stdout } = await home.podman(
    'image',
    'inspect',
    '--format',
    '{{range .RepoDigests}}{{println .}}{{end}}',
    reference,
  );
  return digestsOf(reference, stdout);
}

async function startContainerdClient(): Promise<ImageClient> {
  const containerd = await startContainerd();
  return {
    pull: containerd.pull,
    pulledDigests: async (reference) => {
      const images = await containerd.images();
      return images.filter(({ name }) => name === reference).map(({ digest }) => digest);
    },
    push: (pulled, destination) => containerd.push(destination, pulled),
    stop: containerd.stop,
    [Symbol.asyncDispose]: containerd.stop,
  };
}

async function startDockerdClient(): Promise<ImageClient> {
  const engine = await startDockerd();
  return {
    pull: (reference) => engine.docker('pull', reference),
    pulledDigests: async (reference) => {
      const { stdout } = await engine.docker('image', 'inspect', '--format', '{{join .RepoDigests "\\n"}}', reference);
      return digestsOf(reference, stdout);
    },
    push: async (pulled, destination) => {
      await engine.docker('tag', pulled, destination);
      return engine.docker('push', destination);
    },
    stop: engine.stop,
    [Symbol.asyncDispose]: engine.stop,
  };
}

// Both engines list `REPOSITORY@DIGEST` for every repository the image was pulled from.
function digestsOf(reference: string, repositoryDigests: string): string[] {
  const repository = reference.replace(/(@|:[^/:]+$).*/, '');
  return repositoryDigests
    .split('\n')
    .filter((line) => line.startsWith(`${repository}@`))
    .map((line) => line.slice(repository.length + 1));
}
