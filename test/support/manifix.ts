import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { onFreePorts } from './ports.ts';
import { type Exit, type RunningProcess, startProcess } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

interface ManifixOptions {
  readonly upstream?: string;
  /** A cache directory that outlives this manifix; by default it gets one of its own. */
  readonly cacheDir?: string;
  /** Content of a configuration file. */
  readonly config?: object;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The program itself, as a child process on loopback. */
export interface Manifix extends AsyncDisposable {
  readonly url: string;
  /** `127.0.0.1:PORT`, as image references name it. */
  readonly host: string;
  readonly adminUrl: string;
  readonly cacheDir: string;
  /** Everything it printed since the last start. */
  output(): string;
  outputMatches(pattern: RegExp, milliseconds?: number): Promise<RegExpExecArray>;
  signal(signal: NodeJS.Signals): void;
  /** Sends SIGTERM and gives the way it ended. */
  terminate(): Promise<Exit>;
  /** Ends it as a power cut would. */
  kill9(): Promise<void>;
  /** Starts it again on the same ports and the same cache; one that still runs is terminated before. */
  restart(): Promise<void>;
  /** Ends it and deletes its own directories. */
  stop(): Promise<void>;
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Starts manifix and waits until it listens. @throws an error with its output when it does not */
export async function startManifix(options: ManifixOptions): Promise<Manifix> {
  await using started = new AsyncDisposableStack();
  const directory = started.use(await temporaryDirectory());
  const cacheDir = options.cacheDir ?? join(directory.path, 'cache');
  const flags = [
    ...(options.upstream === undefined ? [] : ['--upstream', options.upstream]),
    ...(options.config === undefined ? [] : ['--config', await writeConfiguration(directory.path, options.config)]),
    ...(options.args ?? []),
  ];
  const launch = (listen: string, admin: string) =>
    startProcess(
      process.execPath,
      [main, 'serve', '--listen', listen, '--admin', admin, '--cache-dir', cacheDir, ...flags],
      // A directory of its own: no configuration file of the project is found by chance.
      { cwd: directory.path, ready: /^listening on https?:\/\/\S+$/m, ...(options.env && { env: options.env }) },
    );

  // Ports that are still there for it when it is started again.
  let running = await onFreePorts((edge, admin) => launch(`127.0.0.1:${edge}`, `127.0.0.1:${admin}`));
  started.defer(() => running.stop());
  const [scheme, host] = await announced(running, 'listening');
  const [, adminHost] = await announced(running, 'admin');
  const everything = started.move();

  async function end(signal: NodeJS.Signals): Promise<Exit> {
    running.kill(signal);
    return running.exited;
  }
  const stop = () => everything.disposeAsync();
  return {
    url: `${scheme}://${host}`,
    host,
    adminUrl: `http://${adminHost}`,
    cacheDir,
    output: () => running.output(),
    outputMatches: (pattern, milliseconds) => running.outputMatches(pattern, milliseconds),
    signal: (signal) => running.kill(signal),
    terminate: () => end('SIGTERM'),
    kill9: async () => void (await end('SIGKILL')),
    restart: async () => {
      await running.stop();
      running = await launch(host, adminHost);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function writeConfiguration(directory: string, config: object): Promise<string> {
  const file = join(directory, 'config.yaml');
  await writeFile(file, stringify(config));
  return file;
}

/** Scheme and host of a listener. */
async function announced(running: RunningProcess, what: 'listening' | 'admin'): Promise<readonly [string, string]> {
  const [, scheme = '', host = ''] = await running.outputMatches(new RegExp(`^${what} on (https?)://(\\S+)$`, 'm'));
  return [scheme, host];
}
