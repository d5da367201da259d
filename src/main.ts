import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import type { App } from './app.ts';
import type { CommandOutcome } from './commands/outcome.ts';
import type { CanRequest } from './config/can-request.ts';
import { type CommandLine, parseCommandLine } from './config/command-line.ts';
import type { ConfigFlags, ConfigResult } from './config/load.ts';
import { formatHostPort } from './lib/address.ts';
import { handleSignals } from './lib/signals.ts';
import { describeStartFailure } from './lib/system-error.ts';

// What a command needs it imports itself, so that help is quick and the compile cache covers the rest.

// libuv reads this when its first thread starts. Disk, hashing and DNS share the pool, and its usual four are few.
process.env.UV_THREADPOOL_SIZE ??= '16';
// V8 throws away what it compiled and did not run lately; after a large blob the next request would wait until it is made again.
setFlagsFromString('--no-flush-bytecode');
const exitCode = await run(parseCommandLine(process.argv.slice(2)));
if (exitCode !== undefined) {
  // A pipe takes 64 KiB at once: what was written beyond would be lost with the process.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
}

/** Carries out a command. Resolves to the exit code, or to undefined for a server that a signal will end. */
async function run(line: CommandLine): Promise<number | undefined> {
  switch (line.command) {
    case 'serve':
      return serve(line.flags);
    case 'check':
      return line.can === undefined ? check(line.flags) : can(line.flags, line.can);
    case 'cache': {
      const { runCacheCommand } = await import('./commands/cache.ts');
      return tell(await runCacheCommand(line.request, () => load(line.request.place)));
    }
    case 'ask': {
      const { runAskCommand } = await import('./commands/ask.ts');
      return tell(await runAskCommand(line.request, () => load(line.request.place)));
    }
    case 'repair': {
      const { runRepairCommand } = await import('./commands/repair.ts');
      return tell(await runRepairCommand(line.request, () => load(line.request.place), print));
    }
    case 'usage': {
      const { runUsageCommand } = await import('./commands/usage.ts');
      return tell(await runUsageCommand(line.request, () => load(line.request.place)));
    }
    case 'warm': {
      const { runWarmCommand } = await import('./commands/warm.ts');
      return tell(await runWarmCommand(line.request, () => load(line.request.place)));
    }
    case 'token': {
      const { runTokenCommand } = await import('./commands/token.ts');
      return tell(await runTokenCommand(line.request, () => load(line.request.place)));
    }
    case 'tag': {
      const { runTagCommand } = await import('./commands/tag.ts');
      return tell(await runTagCommand(line.request, () => load(line.request.place)));
    }
    case 'selftest': {
      const { runSelftestCommand } = await import('./commands/selftest.ts');
      return tell(await runSelftestCommand(line.request, () => load(line.request.place)));
    }
    case 'demo':
      return (await import('./demo/run.ts')).runDemo();
    case 'version':
      return print(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version);
    case 'help':
      return print(line.text);
    case 'page':
      return tell(await (await import('./commands/page.ts')).runPageCommand(line.name));
    case 'wrong':
      return fail(2, [line.text]);
  }
}

async function check(flags: ConfigFlags): Promise<number> {
  const { DEFAULT_FILE } = await import('./config/file.ts');
  const [{ summarize }, { FIXES }] = await Promise.all([import('./config/summary.ts'), import('./fixes/index.ts')]);
  const config = flags.config ?? DEFAULT_FILE;
  const result = await load({ config });
  if ('mistakes' in result) return fail(2, result.mistakes);
  const { warningsOf } = await import('./config/warnings.ts');
  print(`${config}: valid\n${summarize(result.config, FIXES)}`);
  const warnings = warningsOf(result.config).map((warning) => `warning: ${warning}`);
  return warnings.length === 0 ? 0 : fail(0, warnings);
}

async function can(flags: ConfigFlags, request: CanRequest): Promise<number> {
  const { runCanCommand } = await import('./commands/can.ts');
  const result = await load({ config: flags.config ?? (await import('./config/file.ts')).DEFAULT_FILE });
  return 'mistakes' in result ? fail(2, result.mistakes) : tell(await runCanCommand(result.config, request));
}

function tell({ exitCode, text, complaint }: CommandOutcome): number {
  if (text !== undefined) print(text);
  return complaint === undefined ? exitCode : fail(exitCode, [complaint]);
}

async function serve(flags: ConfigFlags): Promise<number | undefined> {
  enableCompileCache();
  const loaded = await load(flags);
  if ('mistakes' in loaded) return fail(2, loaded.mistakes);
  const [{ startApp }, { rehearse }] = await Promise.all([import('./app.ts'), import('./rehearsal.ts')]);
  const starting = startApp(loaded.config, {
    rehearse: (...used) => rehearse(loaded.config, ...used).catch(() => undefined),
  });
  handleSignals(process, {
    stop: async () => (await starting).stop(),
    reload: async () => reload(await starting, await load(flags)),
    exit: (code) => process.exit(code),
  });
  try {
    const { scheme, address, adminAddress } = await starting;
    if (adminAddress !== undefined) process.stderr.write(`admin on http://${formatHostPort(adminAddress)}\n`);
    process.stderr.write(`listening on ${scheme}://${formatHostPort(address)}\n`);
    return undefined;
  } catch (error) {
    return fail(1, [`manifix: ${describeStartFailure(error)}`]);
  }
}

async function reload(app: App, result: ConfigResult): Promise<void> {
  if ('mistakes' in result)
    return void fail(2, ['reload: the running configuration stays, because of:', ...result.mistakes]);
  try {
    const unchanged = await app.reload(result.config);
    const restart = unchanged.length === 0 ? '' : `; these need a restart: ${unchanged.join(', ')}`;
    process.stderr.write(`reload: done${restart}\n`);
  } catch (error) {
    fail(1, [`reload: ${describeStartFailure(error)}`]);
  }
}

async function load(flags: ConfigFlags): Promise<ConfigResult> {
  const [{ loadConfig }, { FIXES }] = await Promise.all([import('./config/load.ts'), import('./fixes/index.ts')]);
  return loadConfig({ flags, env: process.env, fixes: FIXES });
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function fail(code: number, lines: readonly string[]): number {
  process.stderr.write(`${lines.join('\n')}\n`);
  return code;
}
