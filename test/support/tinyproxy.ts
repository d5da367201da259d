import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import { startProcess } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

/** A tinyproxy of Debian on loopback. */
export interface Tinyproxy extends AsyncDisposable {
  readonly url: string;
  output(): string;
}

/** @param directives further lines of its configuration */
export async function startTinyproxy(directives: readonly string[]): Promise<Tinyproxy> {
  const home = await temporaryDirectory();
  const port = await freePort();
  const file = join(home.path, 'tinyproxy.conf');
  const lines = [`Port ${port}`, 'Listen 127.0.0.1', 'Timeout 600', 'LogLevel Connect', ...directives];
  await writeFile(file, `${lines.join('\n')}\n`);
  const proxy = await startProcess('tinyproxy', ['-d', '-c', file], { ready: { port } });
  return {
    url: `http://127.0.0.1:${port}`,
    output: proxy.output,
    async [Symbol.asyncDispose]() {
      await proxy.stop();
      await home.remove();
    },
  };
}
