import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { OCI_INDEX } from '../../src/domain/media-type.ts';
import type { RepositoryName, Tag } from '../../src/domain/reference.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { createFacts } from '../../src/store/facts.ts';
import { createHealth } from '../../src/store/health.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const alpine = 'library/alpine' as RepositoryName;
const latest = 'latest' as Tag;
const digest = digestOf(Buffer.from('content'));

/** Facts over a real database whose calls fail while `isBroken`. */
async function breakableFacts() {
  const home = await temporaryDirectory();
  const real = openDatabase(`${home.path}/facts.db`, () => undefined);
  const state = { isBroken: false };
  const guard = () => {
    if (state.isBroken) throw Object.assign(new Error('disk I/O error'), { errcode: 10 });
  };
  const database: Database = {
    ...real,
    run: (action) => {
      guard();
      return real.run(action);
    },
    transact: (action, durable) => {
      guard();
      real.transact(action, durable);
    },
  };
  const health = createHealth(() => undefined);
  const facts = createFacts(database, health);
  const dispose = async () => {
    real.close(true);
    await home.remove();
  };
  return Object.assign(state, { facts, health, [Symbol.asyncDispose]: dispose });
}

describe('facts whose database fails', () => {
  it('are unknown, do not throw, and say that they are degraded until a write succeeds', async () => {
    await using broken = await breakableFacts();
    const { facts, health } = broken;
    facts.putLink('hub', alpine, 'blob', digest, 'open');
    broken.isBroken = true;
    expect(facts.link('hub', alpine, 'blob', digest)).toBeUndefined();
    facts.putTag('hub', alpine, latest, 'all', { digest, confirmedAt: 1 });
    facts.putSigned('hub', alpine, digest, true);
    expect(facts.signed('hub', alpine, digest)).toBeUndefined();
    expect(health.state()).toEqual({ degraded: expect.stringContaining('disk I/O error') });
    broken.isBroken = false;
    expect(facts.link('hub', alpine, 'blob', digest)).toBe('open');
    facts.putTag('hub', alpine, latest, 'all', { digest, confirmedAt: 1 });
    expect(health.state()).toBe('ok');
  });

  it('throw when a derived manifest cannot be made durable', async () => {
    await using broken = await breakableFacts();
    const manifest = {
      digest,
      original: digest,
      bytes: Buffer.alloc(1),
      mediaType: OCI_INDEX,
      kind: 'as-pushed',
    } as const;
    broken.isBroken = true;
    expect(() => broken.facts.putDerived('hub', alpine, manifest)).toThrow('disk I/O error');
    expect(broken.health.state()).not.toBe('ok');
  });

  it('never tell again what could not be deleted', async () => {
    await using broken = await breakableFacts();
    const { facts } = broken;
    facts.putTag('hub', alpine, latest, 'all', { digest, confirmedAt: 1 });
    facts.putLink('hub', alpine, 'blob', digest, 'open');
    facts.putSigned('hub', alpine, digest, true);
    broken.isBroken = true;
    facts.dropTags('hub', alpine, latest);
    broken.isBroken = false;
    expect(facts.tag('hub', alpine, latest, 'all')).toBeUndefined();
    expect(facts.link('hub', alpine, 'blob', digest)).toBeUndefined();
    facts.putLink('hub', alpine, 'manifest', digest, 'open');
    expect(facts.tag('hub', alpine, latest, 'all')).toBeUndefined();
    expect(facts.link('hub', alpine, 'manifest', digest)).toBe('open');
    expect(facts.signed('hub', alpine, digest)).toBe(true);
  });
});

describe('the facts database', () => {
  it('undoes a transaction that fails half-way', async () => {
    await using home = await temporaryDirectory();
    const database = openDatabase(`${home.path}/facts.db`, () => undefined);
    expect(() =>
      database.transact((statements) => {
        statements.putTag.run('hub', 'library/alpine', 'latest', 'all', digest, 1);
        throw new Error('half-way');
      }),
    ).toThrow('half-way');
    expect(database.run((statements) => statements.tag.get('hub', 'library/alpine', 'latest', 'all'))).toBeUndefined();
    database.close(true);
  });

  it('knows whether it was closed with all files listed', async () => {
    await using home = await temporaryDirectory();
    const openNow = () => openDatabase(`${home.path}/facts.db`, () => undefined);
    const seen: boolean[] = [];
    for (const allFilesAreListed of [true, false, true, true]) {
      const database = openNow();
      seen.push(database.mayLackFiles);
      database.close(allFilesAreListed);
    }
    expect(seen).toEqual([true, false, true, false]);
  });

  it('says in one sentence that it cannot be opened', async () => {
    await using home = await temporaryDirectory();
    const path = `${home.path}/missing/facts.db`;
    expect(() => openDatabase(path, () => undefined)).toThrow(
      `The facts database ${path} cannot be opened: unable to open database file.`,
    );
  });
});
