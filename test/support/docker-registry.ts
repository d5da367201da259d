import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from './ports.ts';
import { startProcess } from './process.ts';
import { temporaryDirectory } from './temporary.ts';
import type { TokenServer } from './token-server.ts';

interface DockerRegistryOptions {
  /** Content of an htpasswd file (bcrypt lines). */
  readonly htpasswd?: string;
  /** Wants tokens of this service. */
  readonly tokenService?: Pick<TokenServer, 'realm' | 'service' | 'issuer' | 'certificate'>;
  /** Speaks TLS with this certificate, in PEM, and wants one of this authority from clients, if named. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientAuthority?: string };
  /** Makes the registry a pull-through cache of this URL. */
  readonly proxyRemoteUrl?: string;
  /** Accepts schema 1 pushes. */
  readonly schema1?: boolean;
}

/** A docker-registry of Debian that stores below a directory of its own. */
export interface DockerRegistry extends AsyncDisposable {
  readonly url: string;
  /** `127.0.0.1:PORT`, as image references name it. */
  readonly host: string;
  readonly directory: string;
  output(): string;
  /** SIGSTOP makes it hang, SIGKILL makes it refuse connections. */
  signal(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/** Starts a real docker-registry on loopback. `stop` ends it and deletes what it stored. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const file = join(directory.path, 'registry.yml');
  const passwords = join(directory.path, 'htpasswd');
  await writeFile(passwords, options.htpasswd ?? '');
  await writeFile(join(directory.path, 'token.crt'), options.tokenService?.certificate ?? '');
  for (const name of ['certificate', 'key', 'clientAuthority'] as const) {
    await writeFile(join(directory.path, name), options.tls?.[name] ?? '');
  }
  await writeFile(file, stringify(configuration(options, host, join(directory.path, 'data'), passwords)));
  const registry = await startProcess('docker-registry', ['serve', file], { ready: { port } });
  const stop = async () => {
    await registry.stop();
    await directory.remove();
  };
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${host}`,
    host,
    directory: directory.path,
    output: registry.output,
    signal: registry.kill,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function configuration(options: DockerRegistryOptions, addr: string, rootdirectory: string, passwords: string): object {
  return {
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory }, delete: { enabled: true } },
    http: { addr, secret: 'fixed', ...(options.tls && { tls: tlsOf(options.tls, dirname(passwords)) }) },
    ...(options.proxyRemoteUrl === undefined ? {} : { proxy: { remoteurl: options.proxyRemoteUrl } }),
    ...(options.htpasswd === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: passwords } } }),
    ...(options.tokenService === undefined ? {} : { auth: { token: tokenAuth(options.tokenService, passwords) } }),
    ...(options.schema1 === true ? { compatibility: { schema1: { enabled: true } } } : {}),
  };
}

function tlsOf({ clientAuthority }: NonNullable<DockerRegistryOptions['tls']>, directory: string): object {
  return {
    certificate: join(directory, 'certificate'),
    key: join(directory, 'key'),
    ...(clientAuthority === undefined ? {} : { clientcas: [join(directory, 'clientAuthority')] }),
  };
}

function tokenAuth({ realm, service, issuer }: NonNullable<DockerRegistryOptions['tokenService']>, passwords: string) {
  return { realm, service, issuer, rootcertbundle: join(dirname(passwords), 'token.crt') };
}
