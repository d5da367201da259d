import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openPasswordFile } from '../../src/auth/password-file.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const HASH = `$2y$05$${'a'.repeat(53)}`;
const line = (user: string) => `${user}:${HASH}\n`;

async function stage() {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'users.htpasswd');
  const clock = { time: 0 };
  const logged: string[] = [];
  await writeFile(path, line('bob'));
  const file = openPasswordFile(
    { path, users: new Map([['bob', HASH]]) },
    () => clock.time,
    (level, _, facts) => void logged.push(`${level} ${facts.problem ?? ''}`.trim()),
  );
  /** The users when it is time to look again. */
  async function names(): Promise<string> {
    clock.time += 1_000;
    return [...(await file.users()).keys()].join(' ');
  }
  return { path, file, clock, logged, names, [Symbol.asyncDispose]: directory.remove };
}

describe('a file of passwords that is in use', () => {
  it('is read again when it changes, whether it was written or replaced', async () => {
    await using at = await stage();
    expect(await at.names()).toBe('bob');
    await writeFile(at.path, line('bob') + line('ann'));
    expect(await at.names()).toBe('bob ann');
    await writeFile(`${at.path}.new`, line('eve') + line('ann'));
    await rename(`${at.path}.new`, at.path);
    expect(await at.names()).toBe('eve ann');
    expect(at.logged).toEqual(['info', 'info']);
  });

  it('is looked at no more than once in a second', async () => {
    await using at = await stage();
    await at.names();
    // Of another size, because the times of files are coarse on many systems.
    await writeFile(at.path, line('anna'));
    expect([...(await at.file.users()).keys()]).toEqual(['bob']);
    expect(await at.names()).toBe('anna');
  });

  it('keeps its users while it is broken or gone, and says so once', async () => {
    await using at = await stage();
    await writeFile(at.path, `${line('ann')}bob:hunter2\n`);
    expect([await at.names(), await at.names()]).toEqual(['bob', 'bob']);
    expect(at.logged).toEqual([expect.stringMatching(/^warn line 2 has a password in plain text/)]);
    expect(at.logged.join()).not.toContain('hunter2');
    await rm(at.path);
    expect([await at.names(), await at.names()]).toEqual(['bob', 'bob']);
    expect(at.logged.slice(1)).toEqual(['warn no such file or directory']);
    await writeFile(at.path, line('ann'));
    expect(await at.names()).toBe('ann');
  });

  it('has the users that a reload of the configuration read, at once', async () => {
    await using at = await stage();
    await at.names();
    at.file.replace(new Map([['eve', HASH]]));
    expect([...(await at.file.users()).keys()]).toEqual(['eve']);
  });
});
