import { z } from 'zod';
import type { Fix } from '../fixes/fix.ts';
import { profileNames } from '../fixes/profiles.ts';
import { host, text } from './fields.ts';
import { fixSettings } from './schema-fixes.ts';

/** One address that clients talk to. */
export function endpointSchema(fixes: readonly Fix[]) {
  return z.strictObject({
    name: text('name').prefault('default').describe('Its name in logs and metrics.'),
    upstream: text('name').optional().describe('The upstream behind it. Needed when there are several upstreams.'),
    host: host()
      .optional()
      .describe('The `Host` that selects it, perhaps with a port. The one endpoint without it takes all other hosts.'),
    profile: z
      .enum(profileNames)
      .optional()
      .describe(
        'A named set of fix settings; `fixes`, here and globally, override it. Without it see [Profiles](#profiles).',
      ),
    fixes: fixSettings(fixes).describe('Settings of single fixes for this endpoint; they override the global ones.'),
  });
}
