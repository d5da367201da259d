import { fileURLToPath } from 'node:url';
import { type RunningProcess, startProcess } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

/** The program with a low limit of open files. */
export interface LimitedManifix extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly adminUrl: string;
  readonly process: RunningProcess;
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Starts manifix in front of a registry as a process that may have `openFiles` files and sockets open at once. */
export async function startLimitedManifix(upstream: string, openFiles: number): Promise<LimitedManifix> {
  await using started = new AsyncDisposableStack();
  const directory = started.use(await temporaryDirectory());
  const running = started.use(
    await startProcess(
      'bash',
      [
        '-c',
        `ulimit -n ${openFiles}; exec "$0" "$@"`,
        process.execPath,
        main,
        ...['--upstream', upstream, '--cache-dir', `${directory.path}/cache`],
        ...['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'],
      ],
      {
        cwd: directory.path,
        ready: /^listening on /m,
        // On a slow machine a flood keeps the registry, too, from accepting for a while.
        env: { MANIFIX_UPSTREAMS_DEFAULT_TIMEOUTS_CONNECT: '60s' },
      },
    ),
  );
  const announced = async (what: string) =>
    (await running.outputMatches(new RegExp(`^${what} on (http://\\S+)$`, 'm')))[1] ?? '';
  const url = await announced('listening');
  const adminUrl = await announced('admin');
  const everything = started.move();
  return {
    url,
    port: Number(new URL(url).port),
    adminUrl,
    process: running,
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}
