import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openFileLimit, parseLimit } from '../../src/lib/open-file-limit.ts';

const limits = (soft: string) => `Limit                     Soft Limit           Hard Limit           Units
Max processes             123                  456                  processes
Max open files            ${soft.padEnd(21)}1048576              files
`;

describe('the limit of open files', () => {
  it.each([
    ['256', 256],
    ['1048576', 1_048_576],
    ['unlimited', Number.POSITIVE_INFINITY],
  ])('%s is read from the soft limit', (soft, limit) => {
    expect(parseLimit(limits(soft))).toBe(limit);
  });

  it.each(['', limits('many')])('that nobody can read is what systems usually give', (text) => {
    expect(parseLimit(text)).toBe(1024);
  });

  it.runIf(existsSync('/proc/self/limits'))('is that of this process', () => {
    const module = new URL('../../src/lib/open-file-limit.ts', import.meta.url);
    const script = `const { openFileLimit } = await import('${module}'); console.log(openFileLimit())`;
    const command = `ulimit -n 300; exec "${process.execPath}" --input-type=module -e "${script}"`;
    expect(execFileSync('bash', ['-c', command]).toString().trim()).toBe('300');
    expect(openFileLimit()).toBeGreaterThan(0);
  });
});
