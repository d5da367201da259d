import { z } from 'zod';
import { borrowedRight, secret, text } from './fields.ts';

/** `none`, `passthrough`, or a map that says where a login comes from; which keys go together is checked in credentials.ts. */
export function credentialsSchema() {
  const keys = z.strictObject({
    mode: borrowedRight().optional(),
    username: text('user name').optional(),
    password: secret('password').optional(),
    passwordFile: text('path').optional(),
    passwordEnv: text('name of a variable').optional(),
    dockerConfig: text('path').optional(),
  });
  return z
    .preprocess((written) => (typeof written === 'object' ? written : { mode: written }), keys)
    .prefault('passthrough')
    .meta({ type: 'none, passthrough or a map' })
    .describe(
      "Whose right counts there: each caller's (`passthrough`), nobody's (`none`), or that of an account: " +
        '`{ username, password }` with `passwordFile` or `passwordEnv` for a password elsewhere, or `{ dockerConfig: FILE }`. ' +
        'Each has a variable, such as `MANIFIX_UPSTREAMS_<NAME>_CREDENTIALS_PASSWORD`.',
    );
}

export type WrittenCredentials = z.output<ReturnType<typeof credentialsSchema>>;
