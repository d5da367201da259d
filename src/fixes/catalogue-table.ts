import { FIXES, RULES } from './index.ts';

/** The Markdown table of docs/fixes/README.md: one row per fix and rule in the catalogue's order. Ends with a newline. */
export function catalogueTable(): string {
  const rows = [
    ...FIXES.map(({ id, title, defaultMode }) => row(id, title, defaultMode, 'fix')),
    ...RULES.map(({ id, title }) => row(id, title, 'always', 'rule')),
  ];
  return `${['| Id | What it does | Default | Kind |', '| --- | --- | --- | --- |', ...rows].join('\n')}\n`;
}

function row(id: string, title: string, mode: string, kind: string): string {
  return `| [${id}](${id}.md) | ${title} | ${mode} | ${kind} |`;
}
