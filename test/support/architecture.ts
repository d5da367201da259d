import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Source text by path below `src/`, with forward slashes. */
export type SourceFiles = Readonly<Record<string, string>>;

const SOURCE_DIRECTORY = fileURLToPath(new URL('../../src/', import.meta.url));
const MAX_LINES = 260;

/** What each layer may import besides itself. The files of `src/` itself may import every layer. */
const layerImports: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  lib: [],
  fixes: ['domain'],
  upstream: ['domain', 'lib'],
  store: ['domain', 'lib'],
  auth: ['domain', 'lib'],
  pipeline: ['domain', 'fixes', 'lib'],
  http: ['pipeline', 'domain', 'lib'],
  admin: ['pipeline', 'domain', 'lib'],
  config: [
    'domain',
    'lib',
    'fixes/index.ts',
    'fixes/fix.ts',
    'fixes/run.ts',
    'fixes/catalogue-table.ts',
    'fixes/profiles.ts',
  ],
  broken: ['domain'],
  demo: ['app.ts', 'broken', 'config/config.ts', 'fixes/index.ts', 'fixes/run.ts', 'domain', 'lib'],
  explain: ['config', 'domain', 'fixes', 'http', 'lib', 'pipeline', 'store', 'upstream'],
  selftest: ['broken', 'config', 'domain', 'explain', 'fixes', 'lib', 'pipeline'],
  commands: [
    'selftest',
    'explain',
    'app.ts',
    'generation.ts',
    'tag-operations.ts',
    'token-operations.ts',
    'config',
    'domain',
    'fixes',
    'http',
    'lib',
    'pipeline',
    'store',
    'upstream',
    'auth',
  ],
};

/** Where packages with a home may be imported: path prefixes. */
const packageHomes: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^(hono|@hono\/.+)$/, ['http/', 'admin/', 'app.ts']],
  [/^undici$/, ['upstream/']],
  [/^http-proxy$/, ['pipeline/pass-through']],
  [/^lru-cache$/, ['store/']],
  [/^(bcrypt|jose)$/, ['auth/']],
  [/^node:sqlite$/, ['store/']],
];

/** Reads all of `src/`. */
export function sourceFiles(): SourceFiles {
  const paths = globSync('**/*.ts', { cwd: SOURCE_DIRECTORY });
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(SOURCE_DIRECTORY, path), 'utf8')]));
}

/** Every breach of the architecture's rules, as sentences that name file and rule; none when all hold. */
export function architectureViolations(files: SourceFiles): string[] {
  return Object.entries(files)
    .flatMap(([path, text]) => [
      ...importedModules(text).flatMap((specifier) => importViolations(path, specifier)),
      ...sizeViolations(path, text),
    ])
    .concat(cycleViolations(files));
}

/** The specifiers of all static and dynamic imports and of re-exports. */
export function importedModules(text: string): string[] {
  const pattern = /(?:^|[;}\s])(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?\s*'([^']+)'|\bimport\s*\(\s*'([^']+)'/gm;
  return [...withoutComments(text).matchAll(pattern)].map(([, stated, dynamic]) => stated ?? dynamic ?? '');
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

function importViolations(path: string, specifier: string): string[] {
  if (specifier.startsWith('.')) return layerViolations(path, resolve(path, specifier));
  if (layerOf(path) === 'domain' && !(path === 'domain/digest.ts' && specifier === 'node:crypto')) {
    return [`${path} imports ${specifier}: domain imports nothing`];
  }
  return packageHomes
    .filter(([pattern, homes]) => pattern.test(specifier) && !homes.some((home) => path.startsWith(home)))
    .map(([, homes]) => `${path} imports ${specifier}: it belongs to ${homes.join(', ')}`);
}

function layerViolations(path: string, target: string): string[] {
  const layer = layerOf(path);
  if (layer === '') return [];
  const allowed = layerImports[layer];
  if (allowed === undefined) return [`${path} is in no layer of the architecture`];
  const permitted = layerOf(target) === layer || allowed.some((name) => target === name || layerOf(target) === name);
  return permitted ? [] : [`${path} imports ${target}: ${layer} may import ${allowed.join(', ') || 'nothing'}`];
}

function sizeViolations(path: string, text: string): string[] {
  const lines = text.trimEnd().split('\n').length;
  return lines > MAX_LINES ? [`${path} has ${lines} lines: at most ${MAX_LINES}`] : [];
}

function cycleViolations(files: SourceFiles): string[] {
  const finished = new Set<string>();
  const cycles: string[] = [];

  function visit(path: string, trail: readonly string[]): void {
    if (trail.includes(path)) {
      cycles.push(`cycle: ${[...trail.slice(trail.indexOf(path)), path].join(' -> ')}`);
      return;
    }
    if (finished.has(path)) return;
    for (const specifier of importedModules(files[path] ?? '')) {
      if (specifier.startsWith('.')) visit(resolve(path, specifier), [...trail, path]);
    }
    finished.add(path);
  }

  for (const path of Object.keys(files)) visit(path, []);
  return cycles;
}

function resolve(path: string, specifier: string): string {
  return posix.join(dirname(path), specifier);
}

/** The first directory below `src/`; empty for files of the root, which compose the layers. */
function layerOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : '';
}
