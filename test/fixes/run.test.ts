import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { OCI_INDEX } from '../../src/domain/media-type.ts';
import type { Fix, FixMode, FixOptions, RequestView, ResponseView } from '../../src/fixes/fix.ts';
import { compileFixes, defaultSetting } from '../../src/fixes/run.ts';
import { listView, manifestRoute, manifestView, requestView, responseView, tagsRoute } from '../support/views.ts';

type Hooks = Pick<Fix, 'request' | 'manifest' | 'list' | 'response' | 'options'>;

const fix = (id: string, hooks: Hooks, defaultMode: FixMode = 'on'): Fix => ({
  id,
  title: id,
  symptom: id,
  defaultMode,
  digest: 'unchanged',
  ...hooks,
});
const failing = () => {
  throw new Error('broken hook');
};

/** Appends its id to the query, so that the order shows. */
const appending = (id: string, defaultMode?: FixMode) =>
  fix(id, { request: (view) => ({ note: `appended ${id}`, query: `${view.query}${id}` }) }, defaultMode);

describe('the modes of a fix', () => {
  it('applies what is on, reports what is observed, and does not ask what is off', () => {
    const fixes = [appending('a'), appending('b', 'observe'), fix('c', { request: failing }, 'off')];
    const outcome = compileFixes(fixes, {}).request(requestView());
    expect(outcome.view.query).toBe('a');
    expect(outcome.applied).toEqual([
      { id: 'a', mode: 'on', note: 'appended a' },
      { id: 'b', mode: 'observe', note: 'appended b' },
    ]);
  });

  it('prefers the setting to the default', () => {
    const settings = { a: { mode: 'off', options: {} }, b: { mode: 'on', options: {} } } as const;
    const set = compileFixes([appending('a'), appending('b', 'off')], settings);
    expect(set.request(requestView()).view.query).toBe('b');
    expect(['a', 'b', 'unknown'].map(set.mode)).toEqual(['off', 'on', 'off']);
  });

  it('observes refusals, replies and changed bytes without acting on them', () => {
    const refuse = new RegistryError('UNKNOWN');
    const observed = fix('a', {
      request: () => ({ note: 'n', refuse }),
      manifest: () => ({
        note: 'n',
        refuse,
        derive: { bytes: Buffer.from('x'), mediaType: OCI_INDEX, force: false, kind: 'media-type-added' },
      }),
      response: () => ({ note: 'n', refuse, status: 500 }),
    });
    const set = compileFixes([observed], { a: { mode: 'observe', options: {} } });
    const applied = [{ id: 'a', mode: 'observe', note: 'n' }];
    expect(set.request(requestView())).toEqual({ view: requestView(), applied });
    expect(set.manifest(manifestView())).toEqual({ headers: [], applied });
    expect(set.response(responseView())).toEqual({ status: 200, headers: [], applied });
  });

  it('hands each fix its own options, the defaults where none are set', () => {
    const seen: FixOptions[] = [];
    const hooks: Hooks = {
      options: { answer: { values: ['yes', 'no'], default: 'no', description: 'Whether.' } },
      request: (_, options) => {
        seen.push(options);
        return undefined;
      },
    };
    const fixes = [fix('a', hooks), fix('b', hooks)];
    const set = compileFixes(fixes, { a: { mode: 'on', options: { answer: 'yes' } } });
    set.request(requestView());
    expect(seen).toEqual([{ answer: 'yes' }, { answer: 'no' }]);
    expect(['a', 'b', 'unknown'].map((id) => set.option(id, 'answer'))).toEqual(['yes', 'no', undefined]);
    expect(defaultSetting(fix('c', {}))).toEqual({ mode: 'on', options: {} });
  });
});

describe('a request through the fixes', () => {
  it('passes each fix what the earlier ones made of it, in order', () => {
    const moving = fix('move', {
      request: () => ({ note: 'moved', route: manifestRoute('other'), headers: [['Accept', '*/*']] }),
    });
    const seen: RequestView[] = [];
    const looking = fix('look', {
      request: (view) => {
        seen.push(view);
        return undefined;
      },
    });
    const outcome = compileFixes([appending('a'), moving, appending('b'), looking], {}).request(requestView());
    expect(seen).toEqual([outcome.view]);
    expect(outcome.view).toMatchObject({ route: manifestRoute('other'), query: 'ab', headers: [['Accept', '*/*']] });
    expect(outcome.view.clientHeaders).toEqual([]);
    expect(outcome.applied.map(({ id }) => id)).toEqual(['a', 'move', 'b']);
  });

  it('is the same object when no fix wants a change', () => {
    const view = requestView();
    const set = compileFixes([fix('a', { request: () => undefined }), fix('b', {})], {});
    expect(set.request(view).view).toBe(view);
  });

  it('goes no further than the first refusal or reply', () => {
    const refuse = new RegistryError('MANIFEST_INVALID');
    const reply = { status: 301, headers: [] };
    const refusing = fix('refuse', { request: () => ({ note: 'refused', refuse }) });
    const replying = fix('reply', { request: () => ({ note: 'replied', reply }) });
    const never = fix('never', { request: failing });
    const refused = compileFixes([appending('a'), refusing, never], {}).request(requestView());
    expect(refused.refuse).toBe(refuse);
    expect(refused.view.query).toBe('a');
    expect(refused.applied.map(({ id }) => id)).toEqual(['a', 'refuse']);
    const replied = compileFixes([replying, never], {}).request(requestView());
    expect(replied.reply).toBe(reply);
    expect(replied.applied.map(({ id }) => id)).toEqual(['reply']);
  });

  it('keeps a split upload that later fixes do not mention', () => {
    const splitting = fix('split', { request: () => ({ note: 'split', splitUpload: { digest: 'sha256:1' } }) });
    const outcome = compileFixes([splitting, appending('a')], {}).request(requestView());
    expect(outcome.splitUpload).toEqual({ digest: 'sha256:1' });
    expect(compileFixes([appending('a')], {}).request(requestView())).not.toHaveProperty('splitUpload');
  });
});

describe('a hook that throws', () => {
  const failure = new Error('broken hook');
  const broken = fix('broken', { request: failing, manifest: failing, list: failing, response: failing });
  const reported = { id: 'broken', mode: 'on', note: 'failed; the original was left as it is', failure };

  it('leaves a request to the other fixes and is reported with its failure', () => {
    const outcome = compileFixes([appending('a'), broken, appending('b')], {}).request(requestView());
    expect(outcome.view.query).toBe('ab');
    expect(outcome.applied[1]).toEqual(reported);
  });

  it('leaves manifests, lists and other answers as they came', () => {
    const set = compileFixes([broken], {});
    expect(set.manifest(manifestView({ headers: [['A', '1']] }))).toEqual({
      headers: [['A', '1']],
      applied: [reported],
    });
    const document = { name: 'team/app', tags: ['b', 'a'] };
    expect(set.list(listView(tagsRoute, { document }))).toEqual({ headers: [], document, applied: [reported] });
    expect(set.response(responseView({ status: 404 }))).toEqual({ status: 404, headers: [], applied: [reported] });
  });
});

describe('a manifest through the fixes', () => {
  const derive = {
    bytes: Buffer.from('derived'),
    mediaType: OCI_INDEX,
    force: false,
    kind: 'media-type-added',
  } as const;
  const deriving = (id: string) => fix(id, { manifest: () => ({ note: `${id} changed it`, derive }) });
  const adding = (name: string) =>
    fix(name, { manifest: (view) => ({ note: `added ${name}`, headers: [...view.headers, [name, '1']] }) });

  it('collects header fields in order, and shows every fix the registry’s bytes', () => {
    const seen: string[] = [];
    const looking = fix('look', {
      manifest: (view) => {
        seen.push(Buffer.from(view.bytes).toString());
        return undefined;
      },
    });
    const outcome = compileFixes([adding('A'), deriving('d'), looking, adding('B')], {}).manifest(
      manifestView({ body: 'original' }),
    );
    expect(seen).toEqual(['original']);
    expect(outcome.headers).toEqual([
      ['A', '1'],
      ['B', '1'],
    ]);
  });

  it('derives once and says whose bytes they are', () => {
    const fixes = [deriving('first'), deriving('second')];
    expect(compileFixes(fixes, {}).manifest(manifestView()).derive).toEqual({
      ...derive,
      fix: { id: 'first', mode: 'on', note: 'first changed it' },
    });
  });

  it('goes no further than a refusal', () => {
    const refuse = new RegistryError('UNKNOWN', { status: 502 });
    const refusing = fix('refuse', { manifest: () => ({ note: 'refused', refuse }) });
    const outcome = compileFixes([adding('A'), refusing, fix('never', { manifest: failing })], {}).manifest(
      manifestView(),
    );
    expect(outcome.refuse).toBe(refuse);
    expect(outcome.headers).toEqual([['A', '1']]);
    expect(outcome.applied.map(({ id }) => id)).toEqual(['A', 'refuse']);
  });
});

describe('another answer through the fixes', () => {
  const errors = [{ code: 'UNKNOWN', message: 'upstream said no' }];
  const failed = responseView({ status: 413, text: '<html>', headers: [['Content-Type', 'text/html']] });
  const parsing = fix('parse', { response: () => ({ note: 'made it JSON', errors, headers: [] }) });
  const explaining = (id: string, explain = `${id} explains.`) =>
    fix(id, { response: (view) => (view.explained === true ? undefined : { note: 'explained', explain }) });

  it('explains errors that an earlier fix put in form, once, and keeps their code', () => {
    const outcome = compileFixes([parsing, explaining('first'), explaining('second')], {}).response(failed);
    expect(outcome.errors).toEqual([
      { code: 'UNKNOWN', message: 'upstream said no', detail: { manifix: 'first explains. See docs/fixes/first.md.' } },
    ]);
    expect(outcome.status).toBe(413);
    expect(outcome.headers).toEqual([]);
    expect(outcome.applied.map(({ id }) => id)).toEqual(['parse', 'first']);
  });

  it('explains the registry’s own errors and keeps what they say', () => {
    const own = [{ code: 'MANIFEST_INVALID', message: 'manifest invalid', detail: { Offset: 12 }, more: true }];
    const outcome = compileFixes([explaining('a')], {}).response({ ...failed, errors: own });
    expect(outcome.errors).toEqual([
      { ...own[0], detail: { Offset: 12, manifix: 'a explains. See docs/fixes/a.md.' } },
    ]);
  });

  it('has nothing to explain where there are no errors, and then leaves it to the next', () => {
    const outcome = compileFixes([explaining('a'), parsing, explaining('b')], {}).response(failed);
    expect(outcome.errors?.[0]?.detail).toEqual({ manifix: 'b explains. See docs/fixes/b.md.' });
  });

  it('shows each fix the status and the fields that the earlier ones left', () => {
    const seen: ResponseView[] = [];
    const changing = fix('change', { response: () => ({ note: 'n', status: 201, headers: [['Location', '/v2/']] }) });
    const looking = fix('look', {
      response: (view) => {
        seen.push(view);
        return { note: 'saw it' };
      },
    });
    const outcome = compileFixes([changing, looking], {}).response(responseView());
    expect(seen[0]).toMatchObject({ status: 201, headers: [['Location', '/v2/']] });
    expect(outcome).toMatchObject({ status: 201, headers: [['Location', '/v2/']] });
    expect(outcome).not.toHaveProperty('errors');
  });

  it('goes no further than a refusal', () => {
    const refuse = new RegistryError('UNKNOWN', { status: 502 });
    const refusing = fix('refuse', { response: () => ({ note: 'refused', refuse }) });
    const outcome = compileFixes([refusing, fix('never', { response: failing })], {}).response(failed);
    expect(outcome).toMatchObject({ status: 413, headers: failed.headers, refuse });
    expect(outcome.applied).toHaveLength(1);
  });
});
