import { describe, expect, it } from 'vitest';
import type { AccessTokenRecord } from '../../src/domain/access-token.ts';
import { openStore, type Store } from '../../src/store/open-store.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const DAY = 86_400_000;
const record: AccessTokenRecord = {
  id: 'a1',
  user: 'bob',
  endpoints: ['team'],
  note: 'nightly builds',
  createdAt: 1_000,
  expiresAt: 5_000,
};
const endless: AccessTokenRecord = { id: 'b2', user: 'ann', note: '', createdAt: 2_000 };

/** Opens the store of a directory for one action. */
async function inStore<T>(directory: string, action: (store: Store) => T): Promise<T> {
  const store = await openStore({ directory, maxSize: 1e9, warn: () => undefined });
  try {
    return action(store);
  } finally {
    await store.close();
  }
}

describe('tokens that are kept', () => {
  it('are found by their hash, also by the next process', async () => {
    await using directory = await temporaryDirectory();
    await inStore(directory.path, ({ tokens }) => {
      tokens.add('hash a', record);
      tokens.add('hash b', endless);
      expect([tokens.find('hash a'), tokens.get('a1'), tokens.get('hash a')]).toEqual([record, record, undefined]);
    });
    await inStore(directory.path, ({ tokens }) => {
      expect([tokens.find('hash a'), tokens.find('hash b'), tokens.find('hash c')]).toEqual([
        record,
        endless,
        undefined,
      ]);
      expect(tokens.list()).toEqual([record, endless]);
    });
  });

  it('are gone as soon as they are revoked, for good', async () => {
    await using directory = await temporaryDirectory();
    await inStore(directory.path, ({ tokens }) => {
      tokens.add('hash a', record);
      tokens.add('hash b', endless);
      expect([tokens.find('hash a')?.id, tokens.find('hash b')?.id]).toEqual(['a1', 'b2']);
      expect([tokens.revoke('a1'), tokens.revoke('a1'), tokens.revoke('c3')]).toEqual([true, false, false]);
      expect([tokens.find('hash a'), tokens.get('a1'), tokens.find('hash b')]).toEqual([undefined, undefined, endless]);
    });
    expect(await inStore(directory.path, ({ tokens }) => tokens.list())).toEqual([endless]);
  });

  it('are forgotten a month after their end, as soon as another one is made', async () => {
    await using directory = await temporaryDirectory();
    await inStore(directory.path, ({ tokens }) => {
      tokens.add('hash a', record);
      tokens.add('hash b', { ...endless, createdAt: 5_000 + 30 * DAY });
      expect(tokens.list().map(({ id }) => id)).toEqual(['a1', 'b2']);
      tokens.add('hash c', { ...endless, id: 'c3', createdAt: 5_001 + 30 * DAY });
      expect(tokens.list().map(({ id }) => id)).toEqual(['b2', 'c3']);
    });
  });
});
