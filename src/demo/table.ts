import { styleText } from 'node:util';
import { type Answer, explanationIn } from '../broken/client.ts';
import type { Problem } from './problems.ts';

/** A step with what came back without manifix and with it. */
export interface Row {
  readonly step: Problem['steps'][number];
  readonly direct: Answer;
  readonly through: Answer;
  readonly kept: boolean;
}

type Style = Parameters<typeof styleText>[0];

const INDENT = '   ';
const REQUEST_WIDTH = 40;
const ANSWER_WIDTH = 36;
const TEXT_WIDTH = 100;
const MARKS = { fixed: '✓', explained: '!', failed: '✗' };

/** Who talks to whom, the names of the columns, and what the marks mean. */
export function tableHead(dockerRegistry: string, gitlab: string, manifix: string): string {
  const who = `A docker-registry on ${dockerRegistry} and a GitLab on ${gitlab}, both broken; manifix on ${manifix}`;
  const through = `  through manifix (${MARKS.fixed} fixed, ${MARKS.explained} explained)`;
  const columns = `${INDENT}${'request'.padEnd(REQUEST_WIDTH)}${'directly'.padEnd(ANSWER_WIDTH)}${through}`;
  return `${who}\n\n${styled('dim', columns)}\n`;
}

/** One problem: its title, and a line for each step with both answers, followed by what manifix says about it. */
export function problemTable(number: number, { title }: Problem, rows: readonly Row[]): string {
  return ['', styled('bold', `${number}  ${title}`), ...rows.flatMap(rowLines), ''].join('\n');
}

/** The last line: what became of all steps. */
export function verdict(problems: number, rows: readonly Row[]): string {
  const failed = rows.filter(({ kept }) => !kept);
  if (failed.length > 0) {
    const names = failed.map(({ step }) => step.request).join('; ');
    return `\n${styled(['bold', 'red'], `manifix did not keep its promise: ${names}`)}\n`;
  }
  const count = (promise: string) => rows.filter(({ step }) => step.promise === promise).length;
  const line = `${problems} of ${problems} problems fixed or explained: ${count('fixed')} requests fixed, ${count('explained')} explained.`;
  return `\n${styled(['bold', 'green'], line)}\n`;
}

function rowLines({ step, direct, through, kept }: Row): readonly string[] {
  const style: Style = !kept ? 'red' : step.promise === 'fixed' ? 'green' : 'yellow';
  const before = styled('red', short(step.describe(direct)).padEnd(ANSWER_WIDTH));
  const after = styled(style, `${kept ? MARKS[step.promise] : MARKS.failed} ${short(step.describe(through))}`);
  const line = `${INDENT}${step.request.padEnd(REQUEST_WIDTH)}${before}  ${after}`;
  const explanation = explanationIn(through);
  const below = wrapped(explanation ?? fixesOf(through)).map((text) =>
    styled(explanation === undefined ? 'dim' : 'yellow', text),
  );
  return [line, ...below.map((text) => `${INDENT}${INDENT}${text}`)];
}

function fixesOf(answer: Answer): string {
  const fixes = answer.header('Manifix-Fixes');
  return fixes === undefined ? '' : `Manifix-Fixes: ${fixes}`;
}

function short(text: string): string {
  return text.length <= ANSWER_WIDTH ? text : `${text.slice(0, ANSWER_WIDTH - 1)}…`;
}

/** Lines of at most TEXT_WIDTH characters; none for an empty text. */
function wrapped(text: string): readonly string[] {
  return text.match(new RegExp(`\\S.{0,${TEXT_WIDTH - 2}}(?!\\S)`, 'g')) ?? [];
}

/** Plain when standard output is no terminal, or when NO_COLOR asks for it. */
function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
