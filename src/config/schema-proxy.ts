import { z } from 'zod';
import { proxyUrl, secret, text } from './fields.ts';

/** The URL of a proxy, or a map that says where its password comes from. */
export function proxySchema() {
  const keys = z.strictObject({
    url: proxyUrl(),
    username: text('user name').optional(),
    password: secret('password').optional(),
    passwordFile: text('path').optional(),
    passwordEnv: text('name of a variable').optional(),
  });
  return z
    .preprocess((written) => (typeof written === 'object' ? written : { url: written }), keys)
    .optional()
    .meta({ type: 'URL or a map' })
    .describe(
      'The HTTP proxy that every connection for the sake of this registry goes through: `http://[user:password@]host:port`, also ' +
        'with `https`, or `{ url, username, password }` with `passwordFile` or `passwordEnv` for a password elsewhere. ' +
        'Each has a variable, such as `MANIFIX_UPSTREAMS_<NAME>_PROXY_PASSWORD`.',
    );
}

export type WrittenProxy = z.output<ReturnType<typeof proxySchema>>;
