import { describe, expect, it } from 'vitest';
import { summarize } from '../../src/config/summary.ts';
import { loadValid, mistakesIn, SMALLEST } from './support.ts';

describe('usage and audit', () => {
  it('are kept for 90 days and not at all, where nothing else is said', async () => {
    const config = await loadValid({ file: SMALLEST });
    expect([config.usage, config.audit]).toEqual([{ keep: 90 * 86_400_000, top: 100 }, undefined]);
    expect(summarize(config, [])).toContain('usage   kept for 90d');
    expect(summarize(config, [])).not.toContain('audit');
  });

  it('are set by the file and the environment, and told in the summary', async () => {
    const config = await loadValid({
      file: { ...SMALLEST, usage: { keep: '7d', top: 5 }, audit: { file: './audit.jsonl', maxSize: '1MiB' } },
      env: { MANIFIX_AUDIT_KEEP: '3' },
    });
    expect(config.usage).toEqual({ keep: 7 * 86_400_000, top: 5 });
    expect(config.audit).toEqual({ file: './audit.jsonl', maxSize: 1024 ** 2, keep: 3 });
    expect(summarize(config, [])).toContain('audit   ./audit.jsonl, renamed beyond 1MiB, 3 of those kept\n');
  });

  it('have mistakes with their paths', async () => {
    const file = { ...SMALLEST, usage: { keep: 90, top: 0 }, audit: { file: '', maxSize: '1KiB', keep: 'all' } };
    expect(await mistakesIn({ file })).toEqual([
      'audit.file: expected a path, got ""',
      'audit.maxSize: expected a size of at least 64KiB, got "1KiB"',
      'audit.keep: expected a whole number from 1 on, got "all"',
      'usage.keep: expected a time such as 500ms, 60s or 7d, got 90',
      'usage.top: expected a whole number from 1 on, got 0',
    ]);
  });
});
