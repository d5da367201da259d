import { type ChildProcess, spawn } from 'node:child_process';
import { eventually, within } from './deadline.ts';
import { portIsOpen } from './ports.ts';

/** What a finished command left behind. `code` is null when a signal ended it. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string | Buffer;
  /** Milliseconds until the command is killed. */
  readonly timeout?: number;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child process that runs beside the test. */
export interface RunningProcess extends AsyncDisposable {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** All of stdout and stderr so far, as it came. */
  output(): string;
  /** Waits until the output matches. Rejects when the process ends or the time is up before that. */
  outputMatches(pattern: RegExp, milliseconds?: number): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
  /** Ends the process: SIGTERM, and SIGKILL when that did not help. */
  stop(): Promise<void>;
}

interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What shows that the process serves: a line of its output, or an open loopback port. */
  readonly ready?: RegExp | { readonly port: number };
}

const READY_DEADLINE = 60_000;
const STOP_DEADLINE = 20_000;

/** Runs a command to its end and collects its output. `env` is added to the test's own environment. */
export async function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(command, args, {
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    timeout: options.timeout ?? 100_000,
    killSignal: 'SIGKILL',
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  // A command that ends without reading its input closes the pipe: that is no failure of the test.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, stdout: stdout(), stderr: stderr() };
}

/** Like `run`. @throws an error with the command and its output when its exit code is not 0 */
export async function runSuccessfully(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const result = await run(command, args, options);
  if (result.code === 0) return result;
  throw new Error(`${command} ${args.join(' ')} ended with ${result.code}:\n${result.stdout}${result.stderr}`);
}

/** Starts a process and waits until it is ready. @throws an error with its output when it does not get ready */
export async function startProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<RunningProcess> {
  const child = spawn(command, args, {
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const running = watch(child, command);
  try {
    await within(
      `start of ${command}`,
      Promise.race([untilReady(running, options), endedTooSoon(running)]),
      READY_DEADLINE,
    );
    return running;
  } catch (cause) {
    await running.stop();
    throw new Error(`${command} did not get ready; its output was:\n${running.output()}`, { cause });
  }
}

function watch(child: ChildProcess, command: string): RunningProcess {
  let output = '';
  const listeners = new Set<() => void>();
  const take = (text: string) => {
    output += text;
    for (const listener of listeners) listener();
  };
  child.stdout?.setEncoding('utf8').on('data', take);
  child.stderr?.setEncoding('utf8').on('data', take);
  const exited = exitOf(child);
  const kill = (signal: NodeJS.Signals) => void child.kill(signal);
  const stop = () => stopChild(child, exited, command);

  function outputMatches(pattern: RegExp, milliseconds = 30_000): Promise<RegExpExecArray> {
    const found = Promise.withResolvers<RegExpExecArray>();
    const look = () => {
      const match = pattern.exec(output);
      if (match !== null) found.resolve(match);
    };
    listeners.add(look);
    look();
    const ended = exited.then(() => {
      look();
      throw new Error(`${command} ended before its output matched ${pattern}`);
    });
    return within(`${command} prints ${pattern}`, Promise.race([found.promise, ended]), milliseconds).finally(() =>
      listeners.delete(look),
    );
  }

  return {
    pid: child.pid ?? -1,
    exited,
    output: () => output,
    outputMatches,
    kill,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function exitOf(child: ChildProcess): Promise<Exit> {
  const killWithTest = () => void child.kill('SIGKILL');
  // The last resort: a test file that crashes leaves no process behind.
  process.once('exit', killWithTest);
  return new Promise<Exit>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      process.removeListener('exit', killWithTest);
      resolve({ code, signal });
    };
    child.once('error', () => end(null, null));
    child.once('close', end);
  });
}

async function stopChild(child: ChildProcess, exited: Promise<Exit>, command: string): Promise<void> {
  child.kill('SIGTERM');
  try {
    await within(`${command} ends on SIGTERM`, exited, STOP_DEADLINE);
  } catch {
    child.kill('SIGKILL');
    await within(`${command} ends on SIGKILL`, exited, STOP_DEADLINE);
  }
}

async function untilReady(running: RunningProcess, { ready }: ProcessOptions): Promise<void> {
  if (ready === undefined) return;
  if (ready instanceof RegExp) {
    await running.outputMatches(ready, READY_DEADLINE);
    return;
  }
  await eventually(
    `port ${ready.port} is open`,
    async () => (await portIsOpen(ready.port)) || undefined,
    READY_DEADLINE,
  );
}

async function endedTooSoon(running: RunningProcess): Promise<never> {
  const { code, signal } = await running.exited;
  throw new Error(`ended with code ${code}, signal ${signal}`);
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}
