import { describe, expect, it } from 'vitest';
import { architectureViolations, importedModules, sourceFiles } from '../support/architecture.ts';

describe('the architecture', () => {
  it('holds for every source file', () => {
    expect(architectureViolations(sourceFiles())).toEqual([]);
  });
});

describe('the architecture check', () => {
  it.each([
    ['domain that imports a layer', 'domain/a.ts', '../lib/b.ts'],
    ['domain that imports a package', 'domain/a.ts', 'zod'],
    ['domain that does I/O', 'domain/a.ts', 'node:fs'],
    ['domain that hashes outside its digest file', 'domain/a.ts', 'node:crypto'],
    ['lib that knows the domain', 'lib/a.ts', '../domain/b.ts'],
    ['fixes that import the pipeline', 'fixes/a.ts', '../pipeline/b.ts'],
    ['upstream that imports the store', 'upstream/a.ts', '../store/b.ts'],
    ['store that imports the upstream', 'store/a.ts', '../upstream/b.ts'],
    ['pipeline that imports the store', 'pipeline/a.ts', '../store/b.ts'],
    ['a layer that imports http', 'pipeline/a.ts', '../http/b.ts'],
    ['http that imports a fix', 'http/a.ts', '../fixes/b.ts'],
    ['config that imports one fix', 'config/a.ts', '../fixes/accept.ts'],
    ['a layer that imports the composition root', 'http/a.ts', '../app.ts'],
    ['a layer that imports the demonstration', 'http/a.ts', '../demo/b.ts'],
    ['a demonstration that reaches into a layer', 'demo/a.ts', '../store/b.ts'],
    ['a layer that imports a command', 'http/a.ts', '../commands/b.ts'],
    ['a directory that is no layer', 'helpers/a.ts', '../domain/b.ts'],
    ['hono in the pipeline', 'pipeline/a.ts', 'hono'],
    ['the hono server in the store', 'store/a.ts', '@hono/node-server'],
    ['undici outside upstream', 'pipeline/a.ts', 'undici'],
    ['http-proxy outside the pass-through', 'pipeline/get-blob.ts', 'http-proxy'],
    ['lru-cache outside the store', 'pipeline/a.ts', 'lru-cache'],
    ['sqlite outside the store', 'app.ts', 'node:sqlite'],
  ])('finds %s', (_, path, specifier) => {
    const violations = architectureViolations({ [path]: `import { b } from '${specifier}';\n` });
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain(path);
  });

  it.each([
    ['domain/manifest.ts', './digest.ts'],
    ['domain/digest.ts', 'node:crypto'],
    ['fixes/accept.ts', '../domain/accept.ts'],
    ['upstream/request.ts', 'undici'],
    ['store/facts.ts', 'node:sqlite'],
    ['store/memory.ts', 'lru-cache'],
    ['pipeline/pass-through.ts', 'http-proxy'],
    ['pipeline/pass-through/proxy.ts', 'http-proxy'],
    ['pipeline/get-manifest.ts', '../fixes/index.ts'],
    ['http/routes.ts', '../pipeline/get-manifest.ts'],
    ['admin/server.ts', '@hono/node-server'],
    ['config/schema.ts', '../fixes/index.ts'],
    ['demo/run.ts', '../app.ts'],
    ['commands/cache.ts', '../store/open-store.ts'],
    ['app.ts', './http/server.ts'],
    ['main.ts', './app.ts'],
  ])('lets %s import %s', (path, specifier) => {
    expect(architectureViolations({ [path]: `import { b } from '${specifier}';\n` })).toEqual([]);
  });

  it('finds a cycle, however long', () => {
    const violations = architectureViolations({
      'lib/a.ts': "import { b } from './b.ts';\n",
      'lib/b.ts': "import type { C } from './c.ts';\n",
      'lib/c.ts': "export { a } from './a.ts';\n",
    });
    expect(violations).toEqual(['cycle: lib/a.ts -> lib/b.ts -> lib/c.ts -> lib/a.ts']);
  });

  it('finds a file that is too long', () => {
    expect(architectureViolations({ 'lib/a.ts': 'x\n'.repeat(261) })).toEqual(['lib/a.ts has 261 lines: at most 260']);
    expect(architectureViolations({ 'lib/a.ts': 'x\n'.repeat(260) })).toEqual([]);
  });

  it('reads every form of import, and no comment', () => {
    const text = `
import one from 'one';
import type { A, B } from 'two';
import {
  c,
} from 'three';
import 'four';
export * from 'five';
export type { D } from 'six';
const seven = await import('seven');
// import x from 'comment';
/* import y from 'comment'; */
export const text = 'imported from nowhere';
`;
    expect(importedModules(text)).toEqual(['one', 'two', 'three', 'four', 'five', 'six', 'seven']);
  });
});
