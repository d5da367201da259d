import { z } from 'zod';
import { ACTIONS } from '../domain/principal.ts';
import { parseWho } from '../domain/who.ts';
import { parsed, repositoryPattern } from './fields.ts';

const who = () =>
  parsed('user, group or claim', 'a user, group:dev, claim:ci:ref=refs/heads/*, authenticated or everybody', parseWho);

const actions = (effect: string) =>
  z
    .array(z.enum(ACTIONS))
    .optional()
    .describe(`What it ${effect}: \`pull\`, \`push\`, \`delete\`, \`list\` (tags and the catalogue).`);

/** Who may do what at an endpoint. Of a rule one of `allow` and `deny` is there: relations see to it. */
export function rightsSchema() {
  return z.array(
    z.strictObject({
      who: z.array(who()).describe('Whom the rule is about. One of them is enough.'),
      allow: actions('allows'),
      deny: actions('denies'),
      repositories: z
        .array(repositoryPattern())
        .prefault(['**'])
        .describe("With which repositories, by the upstream's names, as in `repositories.allow`."),
    }),
  );
}

export type WrittenRights = z.output<ReturnType<typeof rightsSchema>>;

const user = () => parsed('user', 'the name of a user, without blanks and commas', userName);

/** Groups of users, by their names. */
export function groupsSchema() {
  return z.record(z.string(), z.array(user())).meta({ type: 'map of users' });
}

function userName(written: string): string | undefined {
  const meant = parseWho(written);
  return meant?.kind === 'user' ? meant.name : undefined;
}
