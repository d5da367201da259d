import { z } from 'zod';
import type { Fix } from '../fixes/fix.ts';
import { logFormats, logLevels, upstreamKinds } from './config.ts';
import {
  address,
  addressOrOff,
  duration,
  host,
  network,
  rate,
  registryUrl,
  shortDuration,
  size,
  text,
} from './fields.ts';
import { FIXES_TYPE } from './schema-keys.ts';

const fixModes = ['on', 'observe', 'off'] as const;

/**
 * The configuration file. Every key has a description, from which the reference is generated; `prefault` holds a key's
 * default as a user would write it. What spans several keys is checked in relations.ts.
 */
export function configSchema(fixes: readonly Fix[]) {
  const upstream = z.strictObject({
    url: registryUrl().describe('Where the registry is, without `/v2/`. No credentials, query or fragment.'),
    kind: z.enum(upstreamKinds).prefault('generic').describe('Which registry software answers, where that matters.'),
  });
  const endpoint = z.strictObject({
    name: text('name').prefault('default').describe('Its name in logs and metrics.'),
    upstream: text('name').optional().describe('The upstream behind it. Needed when there are several upstreams.'),
    host: host()
      .optional()
      .describe('The `Host` that selects it, perhaps with a port. The one endpoint without it takes all other hosts.'),
    fixes: fixSettings(fixes).describe('Settings of single fixes for this endpoint; they override the global ones.'),
  });
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
    upstreams: z.record(z.string(), upstream).prefault({}),
    endpoints: z.array(endpoint).prefault([]),
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

function fixSettings(fixes: readonly Fix[]) {
  const settings = fixes.map((fix) => [fix.id, fixSetting(fix).optional()] as const);
  return z.strictObject(Object.fromEntries(settings)).meta({ type: FIXES_TYPE }).prefault({});
}

/** `on`, or `{ mode: on, <option>: <word> }`; what is left out is inherited. */
function fixSetting(fix: Fix) {
  const options = Object.entries(fix.options ?? {}).map(([name, option]) => [name, word(option.values)] as const);
  const words: Record<string, ReturnType<typeof word>> = { mode: word(fixModes), ...Object.fromEntries(options) };
  return z.preprocess((written) => (typeof written === 'object' ? written : { mode: written }), z.strictObject(words));
}

/** One word of a list. YAML readers differ about `on`, `off`, `yes` and `no`: a boolean stands for the words it may come from. */
function word(values: readonly string[]) {
  return z
    .preprocess((written) => {
      if (typeof written !== 'boolean') return written;
      const words = written ? ['on', 'yes', 'true'] : ['off', 'no', 'false'];
      return words.find((candidate) => values.includes(candidate)) ?? written;
    }, z.enum(values))
    .optional();
}
