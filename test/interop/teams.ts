import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCertificate } from '../support/certificate.ts';
import { type Manifix, startManifix } from '../support/manifix.ts';
import { type CommandResult, run, runSuccessfully } from '../support/process.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const examples = new URL('../../docs/examples/', import.meta.url);

/** A configuration of docs/examples at work: the file as it is shown, with other addresses and paths. */
export interface Example extends AsyncDisposable {
  readonly manifix: Manifix;
  /** The lines of its audit log so far. */
  audited(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** For the clients' `--cert-dir`. */
  readonly certificates: string;
  /** A command of manifix that reads this configuration. */
  command(...args: readonly string[]): Promise<CommandResult>;
  /** A command that asks the running manifix. */
  ask(...args: readonly string[]): Promise<CommandResult>;
}

/** What an operator puts beside the file. */
interface Surroundings {
  /** What stands in the file, to what stands in for it here. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Passwords by user, for `users.htpasswd`. */
  readonly users?: Readonly<Record<string, string>>;
  /** Of the account at the registries. */
  readonly registryPassword?: string;
}

/** Lays out the files, has the configuration checked and starts manifix on it. @throws when `manifix check` finds a mistake */
export async function startExample(
  name: string,
  { addresses, users = {}, registryPassword = '' }: Surroundings,
): Promise<Example> {
  await using started = new AsyncDisposableStack();
  const { path } = started.use(await temporaryDirectory());
  const certificates = join(path, 'certs');
  await mkdir(certificates);
  const authority = makeCertificate({ name: 'authority' });
  const server = makeCertificate({ name: 'manifix', hosts: ['127.0.0.1'], issuer: authority });
  const files = {
    'certs/ca.crt': authority.certificate,
    'tls.crt': server.certificate,
    'tls.key': server.key,
    'registry.password': registryPassword,
    'users.htpasswd': await passwordFile(users),
  };
  for (const [file, content] of Object.entries(files)) await writeFile(join(path, file), content, { mode: 0o600 });
  const file = join(path, 'config.yaml');
  const shown = await readFile(new URL(`${name}.yaml`, examples), 'utf8');
  await writeFile(file, withAddresses(shown, addresses).replaceAll(/(?<= )\.\//g, `${path}/`));
  const command = (...args: readonly string[]) => run(process.execPath, [main, ...args, '--config', file]);
  const ask = (...args: readonly string[]) =>
    run(process.execPath, [main, ...args, '--admin', new URL(manifix.adminUrl).host]);
  await runSuccessfully(process.execPath, [main, 'check', '--config', file]);
  const manifix = started.use(await startManifix({ args: ['--config', file] }));
  const everything = started.move();
  const audited = async () => {
    // What stands behind the last line's end is being written.
    const lines = (await readFile(join(path, 'audit.jsonl'), 'utf8')).split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  };
  return { manifix, audited, certificates, command, ask, [Symbol.asyncDispose]: () => everything.disposeAsync() };
}

function withAddresses(shown: string, addresses: Readonly<Record<string, string>>): string {
  return Object.entries(addresses).reduce((text, [address, here]) => {
    if (!text.includes(address)) throw new Error(`the example does not have ${address}`);
    return text.replaceAll(address, here);
  }, shown);
}

/** As `htpasswd -B` of apache2-utils writes it. */
export async function passwordFile(users: Readonly<Record<string, string>>): Promise<string> {
  const lines = Object.entries(users).map(async ([user, password]) => {
    const { stdout } = await runSuccessfully('htpasswd', ['-nbB', '-C', '5', user, password]);
    return stdout.trim();
  });
  return `${(await Promise.all(lines)).join('\n')}\n`;
}
