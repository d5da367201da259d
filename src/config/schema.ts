import { z } from 'zod';
import type { Fix } from '../fixes/fix.ts';
import { logFormats, logLevels } from './config.ts';
import { address, addressOrOff, imageReference, network, platform, shortDuration, text } from './fields.ts';
import { cacheSchema } from './schema-cache.ts';
import { endpointSchema } from './schema-endpoint.ts';
import { fixSettings } from './schema-fixes.ts';
import { groupsSchema } from './schema-rights.ts';
import { upstreamSchema } from './schema-upstream.ts';
import { auditSchema, usageSchema } from './schema-usage.ts';

/**
 * The configuration file. Every key has a description, from which the reference is generated; `prefault` holds a key's
 * default as a user would write it. What spans several keys is checked in relations.ts.
 */
export function configSchema(fixes: readonly Fix[]) {
  return z.strictObject({
    listen: address().prefault('127.0.0.1:5000').describe('Where clients connect. Port 0 takes any free port.'),
    tls: z
      .strictObject({
        cert: text('path')
          .optional()
          .describe(
            'A file with the certificate to listen with and its chain, in PEM. Without it clients speak plain HTTP.',
          ),
        key: text('path').optional().describe('The file with its private key, in PEM.'),
        clientAuthorities: text('path')
          .optional()
          .describe('A file with certificates of authorities, in PEM, that vouch for clients (`auth.certificates`).'),
      })
      .prefault({}),
    admin: z
      .strictObject({
        listen: addressOrOff()
          .prefault('127.0.0.1:5080')
          .describe(
            'Where `/healthz`, `/readyz`, `/metrics`, `/cache`, `/tags`, `/explain`, `/report`, `/usage`, `/tokens` and `/drill` are served, or `off`.',
          ),
      })
      .prefault({}),
    cache: cacheSchema().prefault({}),
    upstreams: z.record(z.string(), upstreamSchema()).prefault({}),
    groups: groupsSchema().prefault({}).describe('Groups of users, which rules of all endpoints may name.'),
    endpoints: z.array(endpointSchema(fixes)).prefault([]),
    fixes: fixSettings(fixes).describe('Settings of single fixes for all endpoints.'),
    log: z
      .strictObject({
        level: z.enum(logLevels).prefault('info').describe('The least important messages that are logged.'),
        format: z
          .enum(logFormats)
          .prefault('auto')
          .describe('One JSON object per line, or lines for people. `auto`: for people on a terminal.'),
      })
      .prefault({}),
    audit: auditSchema().prefault({}),
    usage: usageSchema().prefault({}),
    trustedProxies: z
      .array(network())
      .prefault([])
      .describe(
        'Proxies in front of manifix whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` are believed.',
      ),
    warm: z
      .array(
        z.strictObject({
          reference: imageReference().describe('An image that `manifix warm` pulls into the cache.'),
          platforms: z.array(platform()).prefault([]).describe('Which images of an index; without any, all of them.'),
        }),
      )
      .prefault([]),
    drainTimeout: shortDuration()
      .prefault('30s')
      .describe('How long running requests may go on after SIGTERM or SIGINT.'),
  });
}

/** A valid file with its defaults filled in, before the parts are related to each other. */
export type WrittenConfig = z.output<ReturnType<typeof configSchema>>;
export type WrittenFixes = WrittenConfig['fixes'];
