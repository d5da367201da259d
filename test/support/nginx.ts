import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificate } from './certificate.ts';
import { freePort } from './ports.ts';
import { startProcess } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

/** An nginx on loopback, as people put it in front of registries. */
export interface Nginx extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  stop(): Promise<void>;
}

interface NginxOptions {
  /** Further directives for its server. */
  readonly directives?: string;
  /** Speaks TLS with this certificate, in PEM. */
  readonly tls?: Pick<Certificate, 'certificate' | 'key'>;
}

/** Starts nginx in front of an upstream. */
export async function startNginx(upstream: string, { directives = '', tls }: NginxOptions = {}): Promise<Nginx> {
  const home = await temporaryDirectory();
  const port = await freePort();
  const file = join(home.path, 'nginx.conf');
  for (const [name, text] of Object.entries({ certificate: tls?.certificate, key: tls?.key }))
    await writeFile(join(home.path, name), text ?? '');
  const encryption = tls && `ssl_certificate ${home.path}/certificate; ssl_certificate_key ${home.path}/key;`;
  const listen = `listen 127.0.0.1:${port}${tls === undefined ? '' : ' ssl'}; ${encryption ?? ''}`;
  await writeFile(file, configuration(home.path, listen, upstream, directives));
  const server = await startProcess('nginx', ['-c', file, '-p', home.path], { ready: { port } });
  const stop = async () => {
    await server.stop();
    await home.remove();
  };
  const scheme = tls === undefined ? 'http' : 'https';
  return { url: `${scheme}://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, stop, [Symbol.asyncDispose]: stop };
}

function configuration(directory: string, listen: string, upstream: string, directives: string): string {
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
    ${listen}
    ${directives}
    location / {
      proxy_pass ${upstream};
      proxy_set_header Host $http_host;
    }
  }
}
`;
}
