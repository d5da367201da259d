import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = globSync(['*.md', 'docs/**/*.md', 'bench/**/*.md'], { cwd: root });

/** The targets of links to files of the project, with the anchor that they name. */
function linksIn(page: string): { readonly file: string; readonly anchor: string }[] {
  const prose = textOf(page).replaceAll(/^( *)```[\s\S]*?^\1```/gm, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', anchor = ''] = target.split('#');
      return { file: file === '' ? page : join(dirname(page), file), anchor };
    });
}

function textOf(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

/** The anchors that a page's headings have, as GitHub makes them. */
function anchorsIn(page: string): string[] {
  const headings = [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('the links of the documentation', () => {
  it('are found', () => {
    expect(pages.flatMap(linksIn).length).toBeGreaterThan(20);
  });

  it.each(pages)('lead from %s to files and headings that are there', (page) => {
    const broken = linksIn(page).filter(
      ({ file, anchor }) => !existsSync(join(root, file)) || (anchor !== '' && !anchorsIn(file).includes(anchor)),
    );
    expect(broken).toEqual([]);
  });
});
