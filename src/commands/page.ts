import { readdir, readFile } from 'node:fs/promises';
import { commandNames } from '../config/commands.ts';
import { usage } from '../config/help.ts';
import { didYouMean } from '../lib/nearest.ts';
import type { CommandOutcome } from './outcome.ts';

/** Beside the program in a checkout, in the package and in the image. */
const DOCS = new URL('../../docs/', import.meta.url);
const FIXES = new URL('fixes/', DOCS);

/**
 * Prints a page of the documentation as it was installed, so that what reports and explanations refer to can be read
 * wherever manifix runs. Ends with 0, or with 2 when there is no such page.
 */
export async function runPageCommand(name: string): Promise<CommandOutcome> {
  const pages = new Map([...(await pagesIn(DOCS)), ...(await pagesIn(FIXES)), ['fixes', new URL('README.md', FIXES)]]);
  const page = pages.get(name);
  if (page !== undefined) return { exitCode: 0, text: (await readFile(page, 'utf8')).trimEnd() };
  const meant = didYouMean(name, [...commandNames(), ...pages.keys()]);
  return { exitCode: 2, complaint: `manifix: no command or page "${name}"${meant}\n${usage('help')}` };
}

async function pagesIn(directory: URL): Promise<readonly (readonly [string, URL])[]> {
  const files = await readdir(directory);
  return files
    .filter((file) => file.endsWith('.md') && file !== 'README.md')
    .map((file) => [file.slice(0, -'.md'.length), new URL(file, directory)] as const);
}
