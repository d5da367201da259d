import type { Fix } from './fix.ts';
import { FIXES, RULES } from './index.ts';
import { NOT_DONE } from './not-done.ts';
import { profileTable } from './profiles.ts';
import { SETTLED } from './settled.ts';

/** The Markdown tables of docs/fixes/README.md: the fixes in their order, the rules, the profiles, and what is left alone. Ends with a newline. */
export function catalogueTable(): string {
  const fixes = FIXES.map((fix) => [link(fix.id), fix.symptom, fix.title, defaultWord(fix), fix.digest]);
  const rules = RULES.map(({ id, title, symptom }) => [link(id), symptom, title, 'always', 'unchanged']);
  const settled = SETTLED.map(({ id, symptom, how, test }) => [id, symptom, how, `[${basename(test)}](../../${test})`]);
  const notDone = NOT_DONE.map(({ id, symptom, reason }) => [id, symptom, reason]);
  return [
    table(['Id', 'Symptom', 'What manifix does', 'Default', 'Digest'], [...fixes, ...rules]),
    '\n## Profiles\n\nAn endpoint chooses one by `profile`; [configuration](../configuration.md#profiles) tells more.\n\n',
    profileTable(''),
    '\n## Settled by the way manifix works\n\n',
    table(['Defect', 'Symptom', 'Why it does not come up', 'Test'], settled),
    '\n## Deliberately not done\n\n',
    table(['Defect', 'Symptom', 'Why, and what to do'], notDone),
  ].join('');
}

/** `auto` stands for a fix that is on and waits for its cause. */
function defaultWord({ defaultMode, trigger }: Fix): string {
  return defaultMode === 'on' && trigger === 'proven-defect' ? 'auto' : defaultMode;
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function link(id: string): string {
  return `[${id}](${id}.md)`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`);
  return lines.join('');
}
