const SECTIONS = [
  'Symptom',
  'Who is affected',
  'What changes',
  'What it costs',
  'When to turn it off',
  'Before and after',
] as const;

/** What is wrong with the page of a fix or rule; empty when it has its title and exactly the sections that all pages have. */
export function pageMistakes(id: string, title: string, text: string): readonly string[] {
  const prose = text.replace(/^```.*?^```$/gms, '```');
  const [heading, line, ...rest] = prose.split('\n').filter((candidate) => candidate.trim() !== '');
  const headings = rest.filter((candidate) => candidate.startsWith('#'));
  return [
    ...(heading === `# ${id}` ? [] : [`does not start with "# ${id}"`]),
    ...(line === title ? [] : [`does not state the title "${title}" in its second line`]),
    ...(headings.join() === SECTIONS.map((section) => `## ${section}`).join() ? [] : [`has the sections ${headings}`]),
    ...SECTIONS.filter((_, at) => isEmpty(rest, headings[at])).map((section) => `says nothing under "${section}"`),
    ...(prose.length < text.length ? [] : ['shows no commands and no output']),
  ];
}

function isEmpty(lines: readonly string[], heading: string | undefined): boolean {
  if (heading === undefined) return false;
  const next = lines[lines.indexOf(heading) + 1];
  return next === undefined || next.startsWith('#');
}
