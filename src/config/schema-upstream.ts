import { z } from 'zod';
import { upstreamKinds } from './config.ts';
import { bodySize, origin, registryUrl } from './fields.ts';
import { credentialsSchema } from './schema-credentials.ts';

/** One registry that manifix talks to. */
export function upstreamSchema() {
  return z.strictObject({
    url: registryUrl().describe('Where the registry is, without `/v2/`. No credentials, query or fragment.'),
    limits: z
      .strictObject({
        maxRequestBody: bodySize()
          .optional()
          .describe(
            'The most bytes of a body that it, or a proxy in front of it, takes; larger uploads go there in chunks.',
          ),
      })
      .optional(),
    kind: z.enum(upstreamKinds).prefault('generic').describe('Which registry software answers, where that matters.'),
    credentials: credentialsSchema(),
    realms: z
      .array(origin())
      .prefault([])
      .describe("Token services that get credentials although they are not on the registry's own site."),
  });
}
