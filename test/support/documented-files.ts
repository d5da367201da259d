import { readFileSync } from 'node:fs';

const clients = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8');

/**
 * A file that docs/clients.md shows, named in its first line as a comment or behind the language of its block, with other addresses: what users are told to write is
 * what the tests run. @throws when the page does not show it, or does not have an address
 */
export function documentedFile(path: string, addresses: Readonly<Record<string, string>>): string {
  const blocks = [...clients.matchAll(/^( *)```\w+ ?(\S*)\n([\s\S]*?)^ *```$/gm)];
  const named = blocks.map(([, indent = '', name, text = '']) => ({
    name,
    text: text.replaceAll(`\n${indent}`, '\n').trimStart(),
  }));
  const found = named.find(({ name, text }) => name === path || text.startsWith(`# ${path}\n`))?.text;
  if (found === undefined) throw new Error(`docs/clients.md does not show ${path}`);
  return Object.entries(addresses).reduce((text, [shown, used]) => {
    if (!text.includes(shown)) throw new Error(`${path} in docs/clients.md does not have ${shown}`);
    return text.replaceAll(shown, used);
  }, found);
}
