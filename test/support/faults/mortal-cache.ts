import { type Files, nodeFiles } from '../../../src/store/files.ts';
import { startCache } from './running-cache.ts';

/** Where a process kills itself: in front of or behind the n-th call of a name, or at a moment of the whole. */
export interface Death {
  readonly at: keyof Files | 'indexed' | 'answered' | 'never';
  readonly number: number;
  readonly side: 'before' | 'behind';
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  // The signal ends the process before this line is left; the type does not know.
  throw new Error('still alive');
}

function mortal({ at, number, side }: Death): Files {
  let count = 0;
  return new Proxy(nodeFiles, {
    get: (target, name: keyof Files) => {
      const method = target[name] as (...parameters: unknown[]) => unknown;
      if (name !== at) return method;
      return async (...parameters: unknown[]) => {
        count += 1;
        if (count < number) return method(...parameters);
        if (side === 'behind') await method(...parameters);
        return die();
      };
    },
  });
}

/** The program of a child process: manifix as the tests start it, on the directory and registry of the arguments. */
const [directory = '', upstream = '', death = ''] = process.argv.slice(2);
// The parent process wrote it.
const fate = JSON.parse(death) as Death;
const cache = await startCache({ directory, upstream, files: mortal(fate) });
if (fate.at === 'answered') cache.server.on('request', (_incoming, outgoing) => outgoing.once('finish', die));
if (fate.at === 'indexed') {
  const { blobs } = cache.store.usage();
  const look = () => (cache.store.usage().blobs > blobs ? die() : void setImmediate(look));
  look();
}
process.stdout.write(`listening on ${cache.url}\n`);
