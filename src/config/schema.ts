import { z } from 'zod';
import type { Fix } from '../fixes/fix.ts';
import { logFormats, logLevels } from './config.ts';
import { address, addressOrOff, duration, network, rate, shortDuration, size, text } from './fields.ts';
import { endpointSchema } from './schema-endpoint.ts';
import { fixSettings } from './schema-fixes.ts';
import { upstreamSchema } from './schema-upstream.ts';

/**
 * The configuration file. Every key has a description, from which the reference is generated; `prefault` holds a key's
 * default as a user would write it. What spans several keys is checked in relations.ts.
 */
export function configSchema(fixes: readonly Fix[]) {
  return z.strictObject({
    listen: address().prefault('127.0.0.1:5000').describe('Where clients connect. Port 0 takes any free port.'),
    admin: z
      .strictObject({
        listen: addressOrOff()
          .prefault('127.0.0.1:5080')
          .describe('Where `/healthz`, `/readyz`, `/metrics` and `/cache` are served, or `off`.'),
      })
      .prefault({}),
    cache: z
      .strictObject({
        dir: text('path').prefault('./data').describe('The directory of the cache. It is made when it is missing.'),
        maxSize: size()
          .prefault('50GiB')
          .describe('How much the cached blobs may take; the least recently used go first.'),
        tagTtl: duration().prefault('60s').describe('How long a tag is answered without asking the registry again.'),
        scrubRate: rate()
          .prefault('20MiB')
          .describe('How much of the cache is read again in a second to find damaged files; `0` is off.'),
      })
      .prefault({}),
    upstreams: z.record(z.string(), upstreamSchema()).prefault({}),
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
    trustedProxies: z
      .array(network())
      .prefault([])
      .describe('Proxies in front of manifix whose `X-Forwarded-Proto` and `X-Forwarded-Host` are believed.'),
    drainTimeout: shortDuration()
      .prefault('30s')
      .describe('How long running requests may go on after SIGTERM or SIGINT.'),
  });
}

/** A valid file with its defaults filled in, before the parts are related to each other. */
export type WrittenConfig = z.output<ReturnType<typeof configSchema>>;
export type WrittenFixes = WrittenConfig['fixes'];
