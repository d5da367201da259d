import { type CommandResult, run } from '../../support/process.ts';

/** Runs a POSIX shell script as a user would type it; `variables` are its environment. curl is kept off any proxy. */
export function shell(script: string, variables: Readonly<Record<string, string>>): Promise<CommandResult> {
  return run('sh', ['-c', script], { env: { ...variables, no_proxy: '*', CURL_HOME: '/nonexistent' } });
}
