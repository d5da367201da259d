import { z } from 'zod';
import { count, size, text } from './fields.ts';

/** The log of who changed what and who was denied what. */
export function auditSchema() {
  return z.strictObject({
    file: text('path')
      .optional()
      .describe(
        'A file for the audit log, as JSON lines: pushes, deletes, denials, derived manifests, pins, purges and changes of ' +
          'tokens. It is only appended to. Without it there is no audit log.',
      ),
    maxSize: size()
      .prefault('100MiB')
      .describe('How large the file gets before it is renamed to `<file>.1` and a new one is begun.'),
    keep: count().prefault(10).describe('How many renamed files stay.'),
  });
}
