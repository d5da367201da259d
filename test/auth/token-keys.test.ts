import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTokenKeys } from '../../src/auth/token-keys.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const DAY = 86_400_000;

describe('the keys of tokens', () => {
  it('outlive the process, in a file that nobody else may read', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'keys.json');
    const log = () => undefined;
    const before = await (await openTokenKeys(path, () => 0, log)).current();
    const keys = await openTokenKeys(path, () => 0, log);
    expect((await keys.current()).id).toBe(before.id);
    expect(keys.find(before.id)?.publicKey.equals(before.publicKey)).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('are made anew once a month, and stay as long as tokens may be signed with them', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'keys.json');
    let time = 0;
    const keys = await openTokenKeys(
      path,
      () => time,
      () => undefined,
    );
    const [first, again] = await Promise.all([keys.current(), keys.current()]);
    expect(again).toBe(first);
    time = 30 * DAY;
    const second = await keys.current();
    expect(second.id).not.toBe(first.id);
    expect(keys.find(first.id)).toBeDefined();
    time = 150 * DAY;
    await keys.current();
    expect(keys.find(first.id)).toBeUndefined();
    expect(JSON.parse(await readFile(path, 'utf8')).keys).toHaveLength(2);
  });

  it('work for the time being where they cannot be kept', async () => {
    await using directory = await temporaryDirectory();
    const complaints: string[] = [];
    const path = join(directory.path, 'missing', 'keys.json');
    const keys = await openTokenKeys(
      path,
      () => 0,
      (_, message) => complaints.push(message),
    );
    expect(keys.find((await keys.current()).id)).toBeDefined();
    expect(complaints).toEqual(['the keys of tokens cannot be kept; tokens end with this process']);
  });

  it('are not replaced without a word when the file is damaged or unreadable', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'keys.json');
    await writeFile(path, '{"keys":[{"id":"a","createdAt":0,"pem":"x"}]}');
    await expect(
      openTokenKeys(
        path,
        () => 0,
        () => undefined,
      ),
    ).rejects.toThrow(/is damaged: put back a copy/);
    await mkdir(join(directory.path, 'folder'));
    await expect(
      openTokenKeys(
        join(directory.path, 'folder'),
        () => 0,
        () => undefined,
      ),
    ).rejects.toThrow(/folder/);
  });
});
