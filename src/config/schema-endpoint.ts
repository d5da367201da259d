import { z } from 'zod';
import type { Fix } from '../fixes/fix.ts';
import { profileNames } from '../fixes/profiles.ts';
import { host, repositoryPattern, repositoryPrefix, text, yesOrNo } from './fields.ts';
import { authSchema } from './schema-auth.ts';
import { endpointCacheSchema } from './schema-cache.ts';
import { contentSchema } from './schema-content.ts';
import { fixSettings } from './schema-fixes.ts';
import { limitsSchema } from './schema-limits.ts';
import { rightsSchema } from './schema-rights.ts';

/** What clients talk to, and how they reach it. */
export function endpointSchema(fixes: readonly Fix[]) {
  return z.strictObject({
    name: text('name').prefault('default').describe('Its name in logs and metrics.'),
    upstream: text('name').optional().describe('The upstream behind it. Needed when there are several upstreams.'),
    host: host().optional().describe('The `Host` that reaches it, perhaps with a port.'),
    prefix: repositoryPrefix()
      .optional()
      .describe(
        'What repository names begin with to reach it: `team` for `/v2/team/app/...`, which asks the upstream for `app`.',
      ),
    ns: z
      .array(host())
      .prefault([])
      .describe('The registries that it stands for: containerd asks a mirror with `?ns=docker.io`.'),
    repositories: z
      .strictObject({
        allow: z
          .array(repositoryPattern())
          .prefault(['**'])
          .describe("The repositories that it serves, by the upstream's names: `team/app`, `team/*`, `team/**`."),
        deny: z
          .array(repositoryPattern())
          .prefault([])
          .describe('Those of them that it does not serve after all. They are answered as if they did not exist.'),
      })
      .prefault({}),
    auth: authSchema(),
    rights: rightsSchema().prefault([]),
    readOnly: yesOrNo().prefault(false).describe('Whether it refuses pushes and deletes.'),
    cache: endpointCacheSchema().prefault({}),
    content: contentSchema().prefault({}),
    limits: limitsSchema().prefault({}),
    profile: z
      .enum(profileNames)
      .optional()
      .describe(
        'A named set of fix settings; `fixes`, here and globally, override it. Without it see [Profiles](#profiles).',
      ),
    fixes: fixSettings(fixes).describe('Settings of single fixes for this endpoint; they override the global ones.'),
  });
}
