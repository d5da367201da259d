import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { catalogueTable } from '../../src/fixes/catalogue-table.ts';
import { FIXES, RULES } from '../../src/fixes/index.ts';
import { NOT_DONE } from '../../src/fixes/not-done.ts';
import { SETTLED } from '../../src/fixes/settled.ts';
import { CASES } from '../../src/selftest/cases.ts';
import { pageMistakes } from '../support/fix-pages.ts';
import { KNOWN_DEFECTS } from '../support/known-defects.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const has = (path: string) => existsSync(new URL(path, root));
const namesIn = (path: string, ending: string) =>
  readdirSync(new URL(path, root))
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length));

const entries = [...FIXES, ...RULES];
const ids = entries.map(({ id }) => id);
const known = [...entries, ...SETTLED, ...NOT_DONE];

describe('the catalogue of fixes', () => {
  it('names every fix and rule once, in words of lower-case letters and digits', () => {
    expect(new Set(known.map(({ id }) => id)).size).toBe(known.length);
    expect(known.filter(({ id }) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(id))).toEqual([]);
  });

  it('knows every defect of the list that it was made from: as a fix, a rule, settled, or left alone with a reason', () => {
    const all = new Set(known.map(({ id }) => id));
    expect(KNOWN_DEFECTS.filter((id) => !all.has(id))).toEqual([]);
  });

  it('shows what is settled by a test that exists', () => {
    expect(SETTLED.filter(({ test }) => !has(test))).toEqual([]);
    expect(SETTLED.filter(({ how }) => how === '' || /[|\n]/.test(how))).toEqual([]);
  });

  it('tells the symptom of each in one line that fits into a table', () => {
    expect(known.filter(({ symptom }) => symptom === '' || symptom.length > 120 || /[|\n]/.test(symptom))).toEqual([]);
    expect(NOT_DONE.filter(({ reason }) => reason === '' || /[|\n]/.test(reason))).toEqual([]);
  });

  it('offers only defaults that are among the choices', () => {
    const options = FIXES.flatMap((fix) => Object.values(fix.options ?? {}));
    expect(options.filter((option) => !option.values.includes(option.default))).toEqual([]);
  });

  it('has each fix in a file and tested by a file of its name', () => {
    const missing = FIXES.flatMap(({ id }) => [`src/fixes/${id}.ts`, `test/fixes/${id}.test.ts`]).filter(
      (path) => !has(path),
    );
    expect(missing).toEqual([]);
  });

  it('has no fix and no test of one that it does not name', () => {
    const files = namesIn('src/fixes/', '.ts');
    const fixes = files.filter((name) => /^export const \w+: Fix = /m.test(read(`src/fixes/${name}.ts`)));
    expect(fixes.toSorted()).toEqual(FIXES.map(({ id }) => id).toSorted());
    const tests = namesIn('test/fixes/', '.test.ts').filter((name) => name !== 'catalogue.properties');
    expect(tests.filter((name) => !files.includes(name))).toEqual([]);
  });

  it('has a case of the selftest for each fix and rule', () => {
    expect(CASES.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  });

  it('has a test that names each rule', () => {
    const tests = globSync('test/**/*.test.ts', { cwd: root }).map(read).join('\n');
    const named = [...tests.matchAll(/\b(?:describe|it)\w*\(\s*(['"`])(.*?)\1/g)].map((match) => match[2] ?? '');
    expect(RULES.filter(({ id }) => !named.some((name) => name.includes(id)))).toEqual([]);
  });
});

describe('the pages of the fixes', () => {
  it.each(entries.map(({ id, title }) => [id, title]))('explain %s, all in the same order', (id, title) => {
    const path = `docs/fixes/${id}.md`;
    expect(has(path) ? pageMistakes(id, title, read(path)) : 'no page').toEqual([]);
  });

  it('explain nothing else', () => {
    expect(namesIn('docs/fixes/', '.md').toSorted()).toEqual([...ids, 'README'].toSorted());
  });

  it('are listed with their defaults in a table that `npm run docs` keeps', () => {
    const page = read('docs/fixes/README.md');
    expect(page.slice(page.indexOf('\n|') + 1)).toBe(catalogueTable());
  });
});

describe('the check of a page', () => {
  const page = [
    '# some-fix\n\nRepairs it.\n',
    '## Symptom\n\n```\n# not a heading\n```\n',
    '## Who is affected\n\na\n',
    '## What changes\n\nb\n',
    '## What it costs\n\nc\n',
    '## When to turn it off\n\nd\n',
    '## Before and after\n\ne\n',
  ].join('\n');

  it('finds nothing wrong with a complete page', () => {
    expect(pageMistakes('some-fix', 'Repairs it.', page)).toEqual([]);
  });

  it.each([
    ['another id', page.replace('# some-fix', '# other-fix')],
    ['another title', page.replace('Repairs it.', 'Breaks it.')],
    ['a missing section', page.replace('## What it costs\n\nc\n', '')],
    ['a section too many', `${page}\n## History\n\nf\n`],
    [
      'sections in another order',
      page.replace('Symptom', 'x').replace('What changes', 'Symptom').replace('x', 'What changes'),
    ],
    ['an empty section', page.replace('\nd\n', '')],
    ['an empty last section', page.replace('\ne\n', '')],
    ['no output', page.replaceAll('```', '')],
  ])('finds %s', (_, text) => {
    expect(pageMistakes('some-fix', 'Repairs it.', text)).not.toEqual([]);
  });
});
