import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { DoubleRequest } from './double/message.ts';
import { sampleImage } from './images.ts';
import { type Manifix, startManifix } from './manifix.ts';
import { passwordLine } from './password-line.ts';
import { type RegistryDouble, startRegistryDouble } from './registry-double.ts';
import { temporaryDirectory } from './temporary.ts';

/** A manifix with one endpoint, `/v2/team/...`, that knows bob and eve, in front of a registry that has the image `app:1`. */
export interface Team extends AsyncDisposable {
  readonly registry: RegistryDouble;
  readonly manifix: Manifix;
  /** The configuration. */
  readonly file: string;
  readonly auditFile: string;
  /** Writes the configuration, with these settings of the endpoint and these besides. */
  configure(endpoint: TeamSettings, more?: object): Promise<void>;
  /** The same, and waits until it is in use. */
  reload(endpoint: TeamSettings, more?: object): Promise<void>;
}

/** Of an endpoint. What `auth` says goes over the file of passwords; `htpasswd: undefined` leaves that out. */
export type TeamSettings = Readonly<Record<string, unknown>> & { readonly auth?: object };

/** Starts it with these settings of the endpoint. The password of both users is `secret`; `dev` is the group of bob. */
export async function startTeam(
  endpoint: TeamSettings = {},
  beforeAnswer: (request: DoubleRequest) => Promise<void> = async () => undefined,
  env: Readonly<Record<string, string>> = {},
): Promise<Team> {
  await using started = new AsyncDisposableStack();
  const directory = started.use(await temporaryDirectory());
  const registry = started.use(
    await startRegistryDouble({
      intercept: async (request, respondNormally) => {
        await beforeAnswer(request);
        return respondNormally();
      },
    }),
  );
  registry.content.addImage('app', '1', sampleImage('oci-amd64'));
  const users = join(directory.path, 'users');
  await writeFile(users, passwordLine('bob', 'secret') + passwordLine('eve', 'secret'));
  const file = join(directory.path, 'config.yaml');
  const auditFile = join(directory.path, 'audit.jsonl');
  const configure = ({ auth, ...settings }: TeamSettings, more: object = {}) =>
    writeFile(
      file,
      stringify({
        log: { level: 'error' },
        groups: { dev: ['bob'] },
        audit: { file: auditFile },
        upstreams: { hub: { url: registry.url, credentials: 'none' } },
        endpoints: [{ name: 'team', upstream: 'hub', prefix: 'team', ...settings, auth: { htpasswd: users, ...auth } }],
        ...more,
      }),
    );
  await configure(endpoint);
  const manifix = started.use(await startManifix({ args: ['--config', file], env }));
  const everything = started.move();
  let reloads = 0;
  return {
    ...{ registry, manifix, file, auditFile, configure },
    async reload(settings, more) {
      await configure(settings, more);
      manifix.signal('SIGHUP');
      reloads += 1;
      await manifix.outputMatches(new RegExp(`(?:^reload: done\\n[\\s\\S]*?){${reloads}}`, 'm'));
    },
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}
