import { z } from 'zod';
import { upstreamKinds } from './config.ts';
import { registryUrl } from './fields.ts';

/** One registry that manifix talks to. */
export function upstreamSchema() {
  return z.strictObject({
    url: registryUrl().describe('Where the registry is, without `/v2/`. No credentials, query or fragment.'),
    kind: z.enum(upstreamKinds).prefault('generic').describe('Which registry software answers, where that matters.'),
  });
}
