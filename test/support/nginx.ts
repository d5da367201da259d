import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import { startProcess } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

/** An nginx on loopback, as people put it in front of registries. */
export interface Nginx extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  stop(): Promise<void>;
}

/** Starts nginx in front of an upstream, with further directives for its server. */
export async function startNginx(upstream: string, directives = ''): Promise<Nginx> {
  const home = await temporaryDirectory();
  const port = await freePort();
  const file = join(home.path, 'nginx.conf');
  await writeFile(file, configuration(home.path, port, upstream, directives));
  const server = await startProcess('nginx', ['-c', file, '-p', home.path], { ready: { port } });
  const stop = async () => {
    await server.stop();
    await home.remove();
  };
  return { url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, stop, [Symbol.asyncDispose]: stop };
}

function configuration(directory: string, port: number, upstream: string, directives: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${join(directory, kind)};`,
  );
  return `daemon off;
master_process off;
pid ${join(directory, 'pid')};
error_log stderr;
events {}
http {
  access_log off;
  ${temporary.join(' ')}
  server {
    listen 127.0.0.1:${port};
    ${directives}
    location / {
      proxy_pass ${upstream};
      proxy_set_header Host $http_host;
    }
  }
}
`;
}
