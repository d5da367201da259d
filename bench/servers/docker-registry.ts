import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from '../../test/support/ports.ts';
import { startProcess } from '../../test/support/process.ts';
import type { Place, Server } from './server.ts';

/** Starts a docker-registry with storage of its own, or as a pull-through cache of `remote`. */
export async function startDockerRegistry({ stage, directory }: Place, remote?: string): Promise<Server> {
  const name = remote === undefined ? 'docker-registry' : 'docker-registry cache';
  const home = join(directory, name.replace(' ', '-'));
  const port = await freePort();
  await mkdir(home);
  const file = join(home, 'config.yml');
  const configuration = {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(home, 'data') } },
    http: { addr: `127.0.0.1:${port}`, secret: 'bench' },
    ...(remote === undefined ? {} : { proxy: { remoteurl: remote } }),
  };
  await writeFile(file, stringify(configuration));
  const started = stage.use(await startProcess('docker-registry', ['serve', file], { ready: { port } }));
  return { name, url: `http://127.0.0.1:${port}`, pid: started.pid };
}
