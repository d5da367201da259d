import type { Fix } from './fix.ts';
import { FIXES, RULES } from './index.ts';

/** The Markdown table of docs/fixes/README.md: one row per fix and rule in the catalogue's order. Ends with a newline. */
export function catalogueTable(): string {
  const rows = [
    ...FIXES.map((fix) => row(fix.id, fix.title, defaultWord(fix), 'fix')),
    ...RULES.map(({ id, title }) => row(id, title, 'always', 'rule')),
  ];
  return `${['| Id | What it does | Default | Kind |', '| --- | --- | --- | --- |', ...rows].join('\n')}\n`;
}

/** `auto` stands for a fix that is on and waits for its cause. */
function defaultWord({ defaultMode, trigger }: Fix): string {
  return defaultMode === 'on' && trigger === 'proven-defect' ? 'auto' : defaultMode;
}

function row(id: string, title: string, mode: string, kind: string): string {
  return `| [${id}](${id}.md) | ${title} | ${mode} | ${kind} |`;
}
