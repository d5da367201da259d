import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { portIsOpen } from '../support/ports.ts';
import { run, startProcess } from '../support/process.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

async function demo(env: Record<string, string> = {}) {
  await using directory = await temporaryDirectory();
  const result = await run(process.execPath, [main, 'demo'], {
    cwd: directory.path,
    env: { TMPDIR: directory.path, FORCE_COLOR: '0', ...env },
  });
  return { ...result, left: await readdir(directory.path), listening: await openPorts(result.stdout) };
}

async function openPorts(output: string): Promise<readonly number[]> {
  const ports = [...output.matchAll(/http:\/\/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port));
  expect(ports).toHaveLength(3);
  const open = await Promise.all(ports.map(portIsOpen));
  return ports.filter((_, index) => open[index]);
}

/** The lines below the title of a problem, up to the next. */
function problem(stdout: string, number: number): string {
  return stdout.split(/^(?=\d {2})/m)[number] ?? '';
}

describe('the demonstration', () => {
  it('keeps its promises, and leaves neither a file nor a listener behind', async () => {
    const { code, stderr, stdout, left, listening } = await demo();
    expect({ code, stderr, left, listening }).toEqual({ code: 0, stderr: '', left: [], listening: [] });
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(
      '4 of 4 problems fixed or explained: 9 requests fixed, 3 explained.',
    );
  });

  it('shows for each of the four problems how it fails directly and what becomes of it through manifix', async () => {
    const { stdout } = await demo();
    expect(problem(stdout, 1)).toMatch(/^ {3}GET .+ 200 manifest\.v1\+prettyjws +✓ 200 manifest\.v2\+json$/m);
    expect(problem(stdout, 1)).toMatch(/^ {3}PUT '"\$manifests"'.+ 400 manifest invalid +! 400 manifest invalid$/m);
    expect(problem(stdout, 1)).toMatch(/^ {3}PUT what .+ 400 manifest invalid +✓ 201 Created$/m);
    expect(problem(stdout, 2)).toMatch(/^ {3}POST .+ 301 Moved Permanently +✓ 202 Accepted$/m);
    expect(problem(stdout, 2)).toMatch(/^ {3}PUT <Location>\?.+ 404 blob upload invalid, detail 212 +✓ 201 Created$/m);
    expect(problem(stdout, 2)).toMatch(/^ {3}PUT <Location>&.+ 400 provided digest did not .+ ✓ 201 Created$/m);
    expect(problem(stdout, 2)).toMatch(
      /^ {3}PUT with .+ 400 provided digest did not .+ ! 400 provided digest did not /m,
    );
    expect(problem(stdout, 3)).toMatch(/^ {3}POST .+ 202 Accepted +✓ 201 Created$/m);
    expect(problem(stdout, 3)).toMatch(/^ {3}HEAD .+ 404 Not Found +✓ 200 OK$/m);
    expect(problem(stdout, 3)).toMatch(/^ {3}PUT .+ 400 blob unknown to registry +✓ 201 Created$/m);
    expect(problem(stdout, 4)).toMatch(/^ {3}GET .+ 400 (Schema 1 manifest not supported) +! 400 \1$/m);
    expect(problem(stdout, 4)).toMatch(
      /^ {3}GET .+ 200 no mediaType, sha256:\w+… +✓ 200 with mediaType, sha256:\w+…$/m,
    );
  });

  it('prints each explanation where manifix explains', async () => {
    const { stdout } = await demo();
    const explanations = stdout.match(/^ {3}\S.+ ! .+\n(?: {6}.+\n)+/gm) ?? [];
    expect(explanations).toHaveLength(3);
    expect(explanations.filter((text) => !text.replaceAll(/\s+/g, ' ').includes('See docs/fixes/'))).toEqual([]);
  });

  it('is plain in a pipe, and coloured when colour is forced', async () => {
    const plain = await demo();
    const coloured = await demo({ FORCE_COLOR: '1' });
    expect(plain.stdout).toBe(stripVTControlCharacters(plain.stdout));
    expect(coloured.stdout).not.toBe(stripVTControlCharacters(coloured.stdout));
  });

  it('leaves nothing behind when it is interrupted', async () => {
    await using directory = await temporaryDirectory();
    const running = await startProcess(process.execPath, [main, 'demo'], {
      env: { TMPDIR: directory.path },
      ready: /through manifix/,
    });
    running.kill('SIGINT');
    await running.exited;
    expect(await readdir(directory.path)).toEqual([]);
    expect(await openPorts(running.output())).toEqual([]);
  });

  it('says in one line why it cannot start', async () => {
    await using directory = await temporaryDirectory();
    const { code, stdout, stderr } = await run(process.execPath, [main, 'demo'], {
      env: { TMPDIR: join(directory.path, 'absent') },
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^manifix demo: cannot use .+: no such file or directory\n$/);
  });
});
