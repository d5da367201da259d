import { fileURLToPath } from 'node:url';
import { type RunningProcess, startProcess } from '../../test/support/process.ts';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import type { ServerName } from '../report/result.ts';

/** Something that is measured, with the process that it consists of or that its workers descend from. */
export interface Server {
  readonly name: ServerName;
  readonly url: string;
  readonly pid: number;
}

/** Where servers write, and the stack that ends them. */
export interface Place {
  readonly stage: AsyncDisposableStack;
  readonly directory: string;
}

/** Makes an empty directory that goes away when the stage ends. */
export async function openPlace(stage: AsyncDisposableStack): Promise<Place> {
  const { path } = stage.use(await temporaryDirectory());
  return { stage, directory: path };
}

/** Starts a program of the benchmark with the checkout's Node and waits for the address that it prints. */
export async function startNode(
  { stage, directory }: Place,
  program: URL,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly url: string; readonly pid: number; readonly process: RunningProcess }> {
  const ready = /^listening on (http:\/\/\S+)$/m;
  const started = await startProcess(process.execPath, [fileURLToPath(program), ...args], {
    cwd: directory,
    env,
    ready,
  });
  stage.use(started);
  const [, url = ''] = await started.outputMatches(ready);
  return { url, pid: started.pid, process: started };
}
