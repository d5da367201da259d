import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { importedModules, sourceFiles } from '../support/architecture.ts';
import {
  copiesOf,
  environmentOf,
  execForm,
  instructionsNamed,
  parseDockerfile,
  type Stage,
} from '../support/dockerfile.ts';
import { run, runSuccessfully, startProcess } from '../support/process.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const stages = parseDockerfile(read('Dockerfile'));
const stageNamed = (name: string): Stage => {
  const stage = stages.find((candidate) => candidate.name === name);
  if (stage === undefined) throw new Error(`the Dockerfile has no stage ${name}`);
  return stage;
};
const runtime = stageNamed('runtime');
const WORKDIR = '/opt/manifix';

describe('the Dockerfile', () => {
  it('builds in stages of one pinned image, and ends with the one that runs', () => {
    expect(stages.map(({ name }) => name)).toEqual(['build', 'dependencies', 'runtime']);
    const { version } = JSON.parse(read('package-lock.json')).packages['node_modules/node'];
    expect(new Set(stages.map(({ image }) => image))).toEqual(new Set([`node:${version}-trixie-slim`]));
  });

  it('copies only what is there and what .dockerignore lets through', () => {
    const sent = read('.dockerignore').match(/^!.+$/gm) ?? [];
    const sources = stages.flatMap(copiesOf).flatMap((copy) => (copy.from === undefined ? copy.sources : []));
    expect(new Set(sources)).toEqual(new Set(sent.map((line) => line.slice(1))));
    expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
  });

  it('copies from earlier stages only what they make', () => {
    const made = { build: `${WORKDIR}/dist`, dependencies: `${WORKDIR}/node_modules` };
    const taken = stages.flatMap(copiesOf).filter(({ from }) => from !== undefined);
    expect(Object.fromEntries(taken.map(({ from, sources }) => [from, sources.join()]))).toEqual(made);
    expect(instructionsNamed(stageNamed('build'), 'RUN')).toEqual(['npm ci', 'npm run build']);
    expect(instructionsNamed(stageNamed('dependencies'), 'RUN')).toEqual(['npm ci --omit=dev']);
  });

  it('brings every package that the program imports', () => {
    const imported = Object.values(sourceFiles()).flatMap(importedModules);
    const packages = imported.filter((specifier) => !/^(?:\.|node:)/.test(specifier)).map(packageOf);
    const brought = Object.keys(JSON.parse(read('package.json')).dependencies);
    expect([...new Set(packages)].filter((name) => !brought.includes(name))).toEqual([]);
  });

  it('runs as a user that is not root, named by number, with one volume that this user may write', () => {
    const [user = ''] = instructionsNamed(runtime, 'USER');
    expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(instructionsNamed(runtime, 'VOLUME')).toEqual([environmentOf(runtime).MANIFIX_CACHE_DIR]);
  });
});

/** `@scope/name/file` and `name/file` belong to `@scope/name` and `name`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Lays the files out as the image has them, below a directory that stands in for its root. */
async function layOut(image: string): Promise<void> {
  const built = join(image, 'build');
  await runSuccessfully(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    ...['-p', join(root, 'tsconfig.build.json'), '--outDir', join(built, 'dist')],
  ]);
  for (const { from, sources, destination } of copiesOf(runtime)) {
    const target = join(image, 'root', destination);
    await mkdir(dirname(target), { recursive: true });
    const [source = ''] = sources;
    if (from === 'dependencies') await symlink(join(root, 'node_modules'), target);
    else
      await cp(from === 'build' ? join(built, source.slice(WORKDIR.length)) : join(root, source), target, {
        recursive: true,
      });
  }
}

/** Where vitest and vite keep what they compiled; other test files add to it while this one runs. */
const TEST_CACHES = /\/node_modules\/(?:\.vite|\.vitest)|\/node_modules$/;

/** Every path below a directory with its time of change. */
function inventory(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => !TEST_CACHES.test(path))
    .map((path) => `${path} ${lstatSync(join(directory, path)).mtimeMs}`);
}

describe('the image', () => {
  it('would prove itself while it is built', async () => {
    await using image = await temporaryDirectory();
    await layOut(image.path);
    const [[, script = '', ...rest] = []] = instructionsNamed(runtime, 'RUN')
      .filter((text) => text.startsWith('['))
      .map(execForm);
    const { code, stderr } = await run(process.execPath, [join(image.path, 'root', script), ...rest]);
    expect({ rest, code, stderr }).toEqual({ rest: ['demo'], code: 0, stderr: '' });
    const page = await run(process.execPath, [join(image.path, 'root', script), 'help', 'html-200']);
    expect(page).toMatchObject({ code: 0, stdout: expect.stringMatching(/^# html-200\n/) });
  });

  it('would start by its command, answer its health check, write to its volume only, and stop by SIGTERM', async () => {
    await using image = await temporaryDirectory();
    const inside = (path: string) => join(image.path, 'root', path);
    await layOut(image.path);
    const env = {
      ...environmentOf(runtime),
      MANIFIX_LISTEN: '127.0.0.1:0',
      MANIFIX_ADMIN_LISTEN: '127.0.0.1:0',
      MANIFIX_CACHE_DIR: join(image.path, 'volume'),
      TMPDIR: inside('/tmp'),
    };
    const cwd = inside(instructionsNamed(runtime, 'WORKDIR')[0] ?? '');
    await chmod(cwd, 0o555);
    const before = inventory(inside('/'));

    const [program = '', script = '', ...rest] = ['ENTRYPOINT', 'CMD'].flatMap((name) =>
      instructionsNamed(runtime, name).flatMap(execForm),
    );
    expect(program).toBe('node');
    await using manifix = await startProcess(process.execPath, [inside(script), ...rest], {
      cwd,
      env,
      ready: /^listening on /m,
    });
    const [, admin = ''] = await manifix.outputMatches(/^admin on http:\/\/(\S+)$/m);
    const [, ...check] = execForm(instructionsNamed(runtime, 'HEALTHCHECK')[0] ?? '');
    const checkHealth = () => run(process.execPath, check, { env: { MANIFIX_ADMIN_LISTEN: admin } });
    expect(await checkHealth()).toMatchObject({ code: 0 });
    manifix.kill('SIGTERM');
    expect(await manifix.exited).toEqual({ code: 0, signal: null });
    expect(await checkHealth()).toMatchObject({ code: 1 });
    expect(inventory(inside('/'))).toEqual(before);
    expect(readdirSync(join(image.path, 'volume'))).not.toEqual([]);
  });
});
