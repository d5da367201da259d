import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { OCI_INDEX } from '../../src/domain/media-type.ts';
import type { RepositoryName, Tag } from '../../src/domain/reference.ts';
import type { DerivedManifest, Facts } from '../../src/store/types.ts';

export interface OpenedFacts extends AsyncDisposable {
  readonly facts: Facts;
}

const alpine = 'library/alpine' as RepositoryName;
const busybox = 'library/busybox' as RepositoryName;
const latest = 'latest' as Tag;
const edge = 'edge' as Tag;
const D0 = digestOf(Buffer.from('original'));
const D1 = digestOf(Buffer.from('derived'));
const D2 = digestOf(Buffer.from('derived otherwise'));
const derived: DerivedManifest = {
  digest: D1,
  original: D0,
  bytes: Buffer.from('derived'),
  mediaType: OCI_INDEX,
  kind: 'media-type-added',
};

/** What every home of facts promises. */
export function factsContract(open: () => Promise<OpenedFacts>): void {
  describe('facts about tags', () => aboutTags(open));
  describe('facts about links', () => aboutLinks(open));
  describe('facts about derived manifests', () => aboutDerived(open));
  describe('facts about referrers', () => aboutReferrers(open));
  describe('facts about an upstream', () => aboutUpstreams(open));
}

function aboutUpstreams(open: () => Promise<OpenedFacts>): void {
  const learn = (facts: Facts, upstream: string) => {
    facts.putTag(upstream, alpine, latest, 'all', { digest: D0, confirmedAt: 1 });
    facts.putLink(upstream, alpine, 'manifest', D0, 'open');
    facts.putSigned(upstream, alpine, D0, false);
    facts.putDerived(upstream, alpine, derived);
  };

  it('stay while its name means the same URL', async () => {
    await using opened = await open();
    const { facts } = opened;
    facts.bindUpstream('hub', 'https://a.example');
    learn(facts, 'hub');
    facts.bindUpstream('hub', 'https://a.example');
    expect(facts.tag('hub', alpine, latest, 'all')?.digest).toBe(D0);
    expect(facts.link('hub', alpine, 'manifest', D0)).toBe('open');
    expect(facts.signed('hub', alpine, D0)).toBe(false);
  });

  it('go when its name means another registry, apart from what cannot be fetched anew', async () => {
    await using opened = await open();
    const { facts } = opened;
    facts.bindUpstream('hub', 'https://a.example');
    learn(facts, 'hub');
    learn(facts, 'other');
    facts.bindUpstream('hub', 'https://b.example');
    expect(facts.tag('hub', alpine, latest, 'all')).toBeUndefined();
    expect(facts.link('hub', alpine, 'manifest', D0)).toBeUndefined();
    expect(facts.signed('hub', alpine, D0)).toBeUndefined();
    expect(facts.derived('hub', alpine, D1)?.digest).toBe(D1);
    expect(facts.tag('other', alpine, latest, 'all')?.digest).toBe(D0);
  });

  it('tell what its registry wants of callers without credentials, until its name means another', async () => {
    await using opened = await open();
    const { facts } = opened;
    for (const name of ['hub', 'open']) facts.bindUpstream(name, 'https://a.example');
    expect(facts.demands('hub')).toBeUndefined();
    facts.putDemands('hub', ['Basic realm="r"']);
    facts.putDemands('hub', ['Bearer realm="https://a.example/token"', 'Basic realm="r"']);
    facts.putDemands('open', []);
    facts.bindUpstream('hub', 'https://a.example');
    expect(facts.demands('hub')).toEqual(['Bearer realm="https://a.example/token"', 'Basic realm="r"']);
    expect(facts.demands('open')).toEqual([]);
    facts.bindUpstream('hub', 'https://b.example');
    expect(facts.demands('hub')).toBeUndefined();
    expect(facts.demands('open')).toEqual([]);
  });
}

function aboutTags(open: () => Promise<OpenedFacts>): void {
  it('remember the last digest and time for each view', async () => {
    await using opened = await open();
    const { facts } = opened;
    facts.putTag('hub', alpine, latest, 'all', { digest: D1, confirmedAt: 1 });
    facts.putTag('hub', alpine, latest, 'all', { digest: D0, confirmedAt: 1_700_000_000_123 });
    expect(facts.tag('hub', alpine, latest, 'all')).toEqual({ digest: D0, confirmedAt: 1_700_000_000_123 });
    expect(facts.tag('hub', alpine, latest, 'none')).toBeUndefined();
    expect(facts.tag('other', alpine, latest, 'all')).toBeUndefined();
    expect(facts.tag('hub', busybox, latest, 'all')).toBeUndefined();
    expect(facts.tag('hub', alpine, edge, 'all')).toBeUndefined();
  });

  it('forget all views of one tag, or all tags of the repository', async () => {
    await using opened = await open();
    const { facts } = opened;
    const record = { digest: D0, confirmedAt: 1 };
    for (const view of ['all', 'none']) facts.putTag('hub', alpine, latest, view, record);
    facts.putTag('hub', alpine, edge, 'all', record);
    facts.putTag('hub', busybox, latest, 'all', record);
    facts.dropTags('hub', alpine, latest);
    expect(['all', 'none'].map((view) => facts.tag('hub', alpine, latest, view))).toEqual([undefined, undefined]);
    expect(facts.tag('hub', alpine, edge, 'all')).toEqual(record);
    facts.dropTags('hub', alpine);
    expect(facts.tag('hub', alpine, edge, 'all')).toBeUndefined();
    expect(facts.tag('hub', busybox, latest, 'all')).toEqual(record);
  });
}

function aboutLinks(open: () => Promise<OpenedFacts>): void {
  it('keep manifests and blobs of a repository apart', async () => {
    await using opened = await open();
    const { facts } = opened;
    facts.putLink('hub', alpine, 'blob', D0, 'private');
    expect(facts.link('hub', alpine, 'blob', D0)).toBe('private');
    expect(facts.link('hub', alpine, 'manifest', D0)).toBeUndefined();
    expect(facts.link('hub', busybox, 'blob', D0)).toBeUndefined();
    expect(facts.link('other', alpine, 'blob', D0)).toBeUndefined();
    expect(facts.linkedIn('hub', 'blob', D0)).toEqual([alpine]);
    expect(facts.linkedIn('hub', 'manifest', D0)).toEqual([]);
    expect(facts.linkedIn('other', 'blob', D0)).toEqual([]);
  });

  it('follow the last word and can be dropped', async () => {
    await using opened = await open();
    const { facts } = opened;
    facts.putLink('hub', alpine, 'blob', D0, 'private');
    facts.putLink('hub', alpine, 'blob', D0, 'open');
    expect(facts.link('hub', alpine, 'blob', D0)).toBe('open');
    facts.dropLink('hub', alpine, 'blob', D0);
    expect(facts.link('hub', alpine, 'blob', D0)).toBeUndefined();
  });
}

function aboutDerived(open: () => Promise<OpenedFacts>): void {
  it('find it by its own digest in its repository, with its bytes', async () => {
    await using opened = await open();
    const { facts } = opened;
    facts.putDerived('hub', alpine, derived);
    const found = facts.derived('hub', alpine, D1);
    expect(found && { ...found, bytes: Buffer.from(found.bytes) }).toEqual(derived);
    facts.putDerived('hub', busybox, { ...derived, digest: D2, kind: 'as-pushed' });
    expect(facts.derived('hub', busybox, D2)?.kind).toBe('as-pushed');
    expect(facts.derived('hub', busybox, D1)).toBeUndefined();
    expect(facts.derived('other', alpine, D1)).toBeUndefined();
    expect(facts.derived('hub', alpine, D0)).toBeUndefined();
  });

  it('find the latest of a kind by its original, and its config by its own digest', async () => {
    await using opened = await open();
    const { facts } = opened;
    const config = { digest: digestOf(Buffer.from('config')), bytes: Buffer.from('config') };
    facts.putDerived('hub', alpine, derived);
    facts.putDerived('hub', alpine, { ...derived, digest: D2, kind: 'converted', config });
    facts.putDerived('hub', alpine, { ...derived, digest: D2, kind: 'converted', config });
    expect(facts.derivedFrom('hub', alpine, D0, 'converted')?.digest).toBe(D2);
    expect(facts.derivedFrom('hub', alpine, D0, 'media-type-added')?.digest).toBe(D1);
    expect(facts.derivedFrom('hub', busybox, D0, 'converted')).toBeUndefined();
    const kept = facts.keptConfig('hub', alpine, config.digest);
    expect(kept && { original: kept.original, text: Buffer.from(kept.bytes).toString() }).toEqual({
      original: D0,
      text: 'config',
    });
    expect(facts.keptConfig('hub', busybox, config.digest)).toBeUndefined();
    facts.dropDerived('hub', alpine, D0);
    expect(facts.keptConfig('hub', alpine, config.digest)).toBeUndefined();
    expect(facts.derivedFrom('hub', alpine, D0, 'converted')).toBeUndefined();
  });

  it('keep every digest that was derived from one original', async () => {
    await using opened = await open();
    const { facts } = opened;
    facts.putDerived('hub', alpine, derived);
    facts.putDerived('hub', alpine, derived);
    facts.putDerived('hub', alpine, { ...derived, digest: D2 });
    expect(facts.derived('hub', alpine, D1)?.digest).toBe(D1);
    expect(facts.derived('hub', alpine, D2)?.digest).toBe(D2);
  });

  it('drop it with its original in one repository only', async () => {
    await using opened = await open();
    const { facts } = opened;
    facts.putDerived('hub', alpine, derived);
    facts.putDerived('hub', busybox, derived);
    facts.dropDerived('hub', alpine, D0);
    expect(facts.derived('hub', alpine, D1)).toBeUndefined();
    expect(facts.derived('hub', busybox, D1)?.digest).toBe(D1);
    facts.dropDerived('hub', busybox, D0);
    expect(facts.derived('hub', busybox, D1)).toBeUndefined();
  });

  it('tell signed from unsigned from unknown', async () => {
    await using opened = await open();
    const { facts } = opened;
    expect(facts.signed('hub', alpine, D0)).toBeUndefined();
    facts.putSigned('hub', alpine, D0, false);
    expect(facts.signed('hub', alpine, D0)).toBe(false);
    facts.putSigned('hub', alpine, D0, true);
    expect(facts.signed('hub', alpine, D0)).toBe(true);
    expect(facts.signed('hub', busybox, D0)).toBeUndefined();
  });
}

function aboutReferrers(open: () => Promise<OpenedFacts>): void {
  const descriptor = { mediaType: OCI_INDEX, digest: D1, size: 7, artifactType: 'a/b', annotations: { key: 'value' } };

  it('list what refers to a subject in one repository, each manifest once', async () => {
    await using opened = await open();
    const { facts } = opened;
    expect(facts.referrers('hub', alpine, D0)).toEqual([]);
    facts.putReferrer('hub', alpine, { subject: D0, descriptor });
    facts.putReferrer('hub', alpine, { subject: D0, descriptor });
    facts.putReferrer('hub', alpine, { subject: D0, descriptor: { mediaType: OCI_INDEX, digest: D2, size: 1 } });
    expect(facts.referrers('hub', alpine, D0)).toHaveLength(2);
    expect(facts.referrers('hub', alpine, D0)).toContainEqual(descriptor);
    expect(facts.referrers('hub', alpine, D2)).toEqual([]);
    expect(facts.referrers('hub', busybox, D0)).toEqual([]);
    expect(facts.referrers('other', alpine, D0)).toEqual([]);
  });

  it('forget a referrer in one repository only', async () => {
    await using opened = await open();
    const { facts } = opened;
    facts.putReferrer('hub', alpine, { subject: D0, descriptor });
    facts.putReferrer('hub', busybox, { subject: D0, descriptor });
    facts.dropReferrer('hub', alpine, D1);
    expect(facts.referrers('hub', alpine, D0)).toEqual([]);
    expect(facts.referrers('hub', busybox, D0)).toEqual([descriptor]);
  });
}
