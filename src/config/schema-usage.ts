import { z } from 'zod';
import { bodySize, count, duration, text } from './fields.ts';

/** What clients used, by endpoint and day. */
export function usageSchema() {
  return z.strictObject({
    keep: duration()
      .prefault('90d')
      .describe('For how long the figures of `manifix usage` are kept, in whole days (UTC).'),
    top: count()
      .prefault(100)
      .describe(
        'How many repositories, and how many users, of an endpoint and a day are told apart: those that use most. The rest ' +
          'is added up.',
      ),
  });
}

/** The log of who changed what and who was denied what. */
export function auditSchema() {
  return z.strictObject({
    file: text('path')
      .optional()
      .describe(
        'A file for the audit log, as JSON lines: pushes, deletes, denials, derived manifests, pins, purges and changes of ' +
          'tokens. It is only appended to. Without it there is no audit log.',
      ),
    maxSize: bodySize()
      .prefault('100MiB')
      .describe('How large the file gets before it is renamed to `<file>.1` and a new one is begun.'),
    keep: count().prefault(10).describe('How many renamed files stay.'),
  });
}
