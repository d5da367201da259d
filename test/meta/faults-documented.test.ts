import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = join(root, 'docs', 'faults.md');

/** The rows of the page's table of faults: their ids, and the test files that they name. */
function rows(): { readonly ids: readonly string[]; readonly files: readonly string[] }[] {
  return readFileSync(page, 'utf8')
    .split('\n')
    .filter((line) => /^\| F\d\d/.test(line))
    .map((line) => ({
      ids: line.split('|')[1]?.match(/F\d\d/g) ?? [],
      files: [...line.matchAll(/\]\(([^)]+)\)/g)].map(([, file = '']) => join(dirname(page), file)),
    }));
}

/** The ids that the suites of a file carry in their names. */
function idsIn(file: string): string[] {
  const suites = readFileSync(file, 'utf8').matchAll(/describe(?:\.\w+\(.*\))?\(\s*['`](F\d\d):/g);
  return [...suites].map(([, id = '']) => id);
}

describe('docs/faults.md', () => {
  it('names for each fault a file with a suite of that id', () => {
    expect(rows().length).toBeGreaterThan(30);
    for (const { ids, files } of rows()) {
      const tested = files.flatMap(idsIn);
      for (const id of ids) expect(tested, id).toContain(id);
    }
  });

  it('knows every fault that has a suite', () => {
    const listed = rows().flatMap(({ ids }) => ids);
    const files = globSync(['test/faults/*.test.ts', 'test/e2e/*.test.ts'], { cwd: root });
    for (const id of files.flatMap((file) => idsIn(join(root, file)))) expect(listed).toContain(id);
  });
});
