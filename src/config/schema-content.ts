import { z } from 'zod';
import { digest, duration, repositoryPattern, tagPattern, text } from './fields.ts';

const repositories = () =>
  z
    .array(repositoryPattern())
    .prefault(['**'])
    .describe("Repositories by the upstream's names, with patterns as in `repositories.allow`.");

/** What an endpoint serves in place of what its registry says, and what it refuses. Of each list the first match counts. */
export function contentSchema() {
  return z.strictObject({
    pins: z
      .array(
        z.strictObject({
          repository: repositoryPattern().describe("A repository by the upstream's name, or a pattern."),
          tag: tagPattern().describe('A tag, or a pattern with `*`.'),
          digest: digest().describe('What the tag is served with, whatever the registry says.'),
        }),
      )
      .prefault([]),
    deny: z
      .array(
        z.strictObject({
          repositories: repositories(),
          tags: z
            .array(tagPattern())
            .prefault([])
            .describe(
              'The tags of them that are refused. Without `tags` and `digests`, all content of the repositories is.',
            ),
          digests: z
            .array(digest())
            .prefault([])
            .describe('The manifests and blobs that are refused, by whatever tag or index they are reached.'),
          message: text('message').describe('What clients are told, with 403 and the code DENIED.'),
        }),
      )
      .prefault([]),
    coolDown: z
      .array(
        z.strictObject({
          repositories: repositories(),
          tags: z.array(tagPattern()).prefault(['*']).describe('The tags of them that cool down.'),
          age: duration().describe(
            'How long a digest has to be known under a tag before the tag is served with it; until then the tag is served as before.',
          ),
          unknown: z
            .enum(['serve', 'refuse'])
            .prefault('serve')
            .describe(
              'What becomes of a tag of which nothing is old enough, such as one that is pulled for the first time.',
            ),
        }),
      )
      .prefault([]),
  });
}
