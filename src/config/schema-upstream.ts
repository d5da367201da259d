import { z } from 'zod';
import { upstreamKinds } from './config.ts';
import { bodySize, count, host, origin, registryUrl, shortDuration, text } from './fields.ts';
import { credentialsSchema } from './schema-credentials.ts';
import { proxySchema } from './schema-proxy.ts';

/** One registry that manifix talks to. */
export function upstreamSchema() {
  return z.strictObject({
    url: registryUrl().optional().describe('Where the registry is, without `/v2/`. No credentials, query or fragment.'),
    urls: z
      .array(registryUrl())
      .optional()
      .describe(
        'Instead of `url`: several places with the same content. Reads go to the first that answers, pushes to the first.',
      ),
    timeouts: z
      .strictObject({
        connect: shortDuration().prefault('5s').describe('Until the connection stands. Several `urls` share it.'),
        headers: shortDuration()
          .prefault('20s')
          .describe('Until the header fields of an answer are in. Several `urls` share it.'),
        stall: shortDuration().prefault('60s').describe('How long the bytes of an answer may pause.'),
        revalidate: shortDuration()
          .prefault('1500ms')
          .describe('How long clients wait for the registry when there is an older answer in the cache.'),
        change: shortDuration()
          .prefault('120s')
          .describe(
            'How long pushes and deletes may go without a byte in either direction: a registry takes its time for large blobs.',
          ),
      })
      .prefault({}),
    limits: z
      .strictObject({
        maxRequestBody: bodySize()
          .optional()
          .describe(
            'The most bytes of a body that it, or a proxy in front of it, takes; larger uploads go there in chunks.',
          ),
        concurrency: count().optional().describe('How many reads it gets at one time; others wait for their turn.'),
        rate: count().optional().describe('How many reads it gets in a second; others wait for their turn.'),
      })
      .optional(),
    kind: z.enum(upstreamKinds).prefault('generic').describe('Which registry software answers, where that matters.'),
    credentials: credentialsSchema(),
    tls: z
      .strictObject({
        ca: text('path')
          .optional()
          .describe('A file with certificates of authorities, in PEM, to trust besides those that everybody trusts.'),
        cert: text('path')
          .optional()
          .describe('A file with the certificate to show to the registry and its chain, in PEM, where it wants one.'),
        key: text('path').optional().describe('The file with its private key, in PEM.'),
      })
      .prefault({}),
    proxy: proxySchema(),
    realms: z
      .array(origin())
      .prefault([])
      .describe("Token services that get credentials although they are not on the registry's own site."),
    redirects: z
      .array(host())
      .prefault([])
      .describe('Hosts to which a registry on the internet may redirect although their addresses are internal.'),
  });
}
