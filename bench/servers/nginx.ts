import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../test/support/ports.ts';
import { startProcess } from '../../test/support/process.ts';
import type { Place, Server } from './server.ts';

/** Starts nginx with two workers as a tuned `proxy_cache` of `remote`. */
export async function startNginx({ stage, directory }: Place, remote: string): Promise<Server> {
  const home = join(directory, 'nginx');
  await mkdir(home);
  const port = await freePort();
  const file = join(home, 'nginx.conf');
  await writeFile(file, configuration(home, port, new URL(remote).host));
  const started = await startProcess('nginx', ['-p', home, '-c', file, '-e', join(home, 'error.log')], {
    ready: { port },
  });
  stage.use(started);
  return { name: 'nginx proxy_cache', url: `http://127.0.0.1:${port}`, pid: started.pid };
}

// `user root`: the workers write where the benchmark runs. Without `keepalive_requests` nginx closes busy connections.
function configuration(home: string, port: number, upstream: string): string {
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `
daemon off; ${user} worker_processes 2; worker_rlimit_nofile 8192; pid ${home}/pid;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush off; keepalive_requests 1000000000;
  client_body_temp_path ${home}/body; fastcgi_temp_path ${home}/fastcgi; uwsgi_temp_path ${home}/uwsgi;
  scgi_temp_path ${home}/scgi; proxy_temp_path ${home}/proxy;
  proxy_cache_path ${home}/cache levels=1:2 keys_zone=c:50m max_size=20g use_temp_path=off;
  upstream registry { server ${upstream}; keepalive 16; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://registry; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host ${upstream};
      proxy_cache c; proxy_cache_lock on; proxy_cache_valid 200 7d; proxy_cache_key $uri$http_accept;
      proxy_ignore_headers Cache-Control Expires;
    }
  }
}
`;
}
