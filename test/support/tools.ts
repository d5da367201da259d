import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';

/** The real programs that tests use, and the Debian package that brings each. */
export const toolPackages = {
  'docker-registry': 'docker-registry',
  skopeo: 'skopeo',
  podman: 'podman',
  buildah: 'buildah',
  containerd: 'containerd',
  ctr: 'containerd',
  docker: 'docker.io',
  dockerd: 'docker.io',
  curl: 'curl',
  nginx: 'nginx',
  tinyproxy: 'tinyproxy',
  htpasswd: 'apache2-utils',
} as const;

export type Tool = keyof typeof toolPackages;

const needRoot: readonly Tool[] = ['containerd', 'ctr', 'docker', 'dockerd'];

/** Says whether a program is found on the search path. */
export function toolAvailable(name: string): boolean {
  const directories = (process.env.PATH ?? '').split(delimiter);
  return directories.some((directory) => isExecutable(join(directory, name)));
}

/** The tools of the list that tests cannot use here, each with the reason: `skopeo (not installed)`. */
export function unusableTools(tools: readonly Tool[]): string[] {
  return tools.flatMap((tool) => {
    if (!toolAvailable(tool)) return [`${tool} (not installed)`];
    return needRoot.includes(tool) && process.getuid?.() !== 0 ? [`${tool} (needs root)`] : [];
  });
}

/**
 * A `describe` for suites that need real programs. Without them the suite is skipped and its title says why;
 * in continuous integration (`CI=true`) it fails, so that a missing program cannot pass unnoticed.
 */
export function describeWithTools(name: string, tools: readonly Tool[], body: () => void): void {
  const unusable = unusableTools(tools);
  if (unusable.length === 0) {
    describe(name, body);
    return;
  }
  const reason = `without ${unusable.join(', ')}`;
  if (process.env.CI !== 'true') {
    describe.skip(`${name}: skipped ${reason}`, body);
    return;
  }
  describe(name, () => {
    it('finds the programs it needs', () => {
      throw new Error(`cannot run ${reason}`);
    });
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
