import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { temporaryDirectory } from '../support/temporary.ts';
import { mistakesIn, SMALLEST } from './support.ts';

const URL_EXPECTED = 'expected an http or https URL such as https://registry.example.com';

describe('mistakes', () => {
  it('are all told, each with its path, not only the first', async () => {
    const file = `
lisen: 127.0.0.1:5000
cache: { maxSize: 50GB, tagTtl: 60 }
upstreams: { hub: { url: ftp://x, kinds: generic } }
endpoints:
  - { name: a, upstream: hbu }
  - { name: a, host: a.example.com }
log: { level: loud }
`;
    expect(await mistakesIn({ file })).toEqual([
      'cache.maxSize: expected a size such as 64MiB or 50GiB, got "50GB"',
      'cache.tagTtl: expected a time such as 500ms, 60s or 7d, got 60',
      `upstreams.hub.url: ${URL_EXPECTED}`,
      'upstreams.hub.kinds: unknown key; did you mean "kind"?',
      'log.level: expected one of debug, info, warn, error, silent, got "loud"',
      'lisen: unknown key; did you mean "listen"?',
      'endpoints[0].upstream: unknown upstream "hbu"; did you mean "hub"?',
      'endpoints[1].name: "a" is the name of endpoints[0] already',
    ]);
  });

  it.each([
    ['an unknown key', { cache: { max_size: '1GiB' } }, 'cache.max_size: unknown key; did you mean "maxSize"?'],
    ['a key of another place', { tagTtl: '1s' }, 'tagTtl: unknown key; did you mean "cache.tagTtl"?'],
    [
      'a key like no other',
      { cache: { zebra: 1 } },
      'cache.zebra: unknown key; known here: dir, maxSize, tagTtl, tags, staleWhileRevalidate, staleFor, notFoundTtl, scrubRate',
    ],
    [
      'a rate that is none',
      { cache: { scrubRate: 'fast' } },
      'cache.scrubRate: expected a size such as 20MiB, or 0, got "fast"',
    ],
    ['a key that needs quotes', { 'a b\n': 1 }, expect.stringMatching(/^"a b\\n": unknown key; /)],
    ['an unknown fix', { fixes: { 'watch-onli': 'on' } }, 'fixes.watch-onli: unknown fix; did you mean "watch-only"?'],
    [
      'a fix like no other',
      { fixes: { zebra: 'on' } },
      'fixes.zebra: unknown fix; docs/fixes/README.md lists all fixes',
    ],
    [
      'an unknown option',
      { fixes: { 'add-type': { forse: 'yes' } } },
      'fixes.add-type.forse: unknown key; did you mean "force"?',
    ],
    [
      'an unknown mode',
      { fixes: { 'add-type': 'onn' } },
      'fixes.add-type: expected one of on, observe, off, got "onn"; did you mean "on"?',
    ],
    [
      'an unknown mode in a map',
      { fixes: { 'add-type': { mode: 3 } } },
      'fixes.add-type.mode: expected one of on, observe, off, got 3',
    ],
    [
      'an unknown word for an option',
      { endpoints: [{ fixes: { 'add-type': { force: 'maybe' } } }] },
      'endpoints[0].fixes.add-type.force: expected one of no, yes, got "maybe"',
    ],
    ['a map in place of text', { cache: { dir: {} } }, 'cache.dir: expected a path, got {}'],
    ['text in place of a map', { cache: 'x' }, 'cache: expected a map of keys, got "x"'],
    [
      'a listener that is switched off as a whole',
      { admin: 'off' },
      'admin: expected a map of keys, got "off"; did you mean admin: { listen: off }?',
    ],
    ['a map in place of a list', { endpoints: {} }, 'endpoints: expected a list, got {}'],
    ['an empty directory', { cache: { dir: '' } }, 'cache.dir: expected a path, got ""'],
    [
      'a time too long to wait',
      { drainTimeout: '2d' },
      'drainTimeout: expected a time of at most 1d, such as 30s, got "2d"',
    ],
    [
      'a block that is none',
      { trustedProxies: ['10.0.0.0/8', '10.0.0.0/33'] },
      'trustedProxies[1]: expected an IP address or a block such as 10.0.0.0/8, got "10.0.0.0/33"',
    ],
    [
      'a host with a scheme',
      { endpoints: [{ host: 'http://a' }] },
      'endpoints[0].host: expected a host name such as team.example.com, perhaps with a port, got "http://a"',
    ],
    [
      'one address for two listeners',
      { listen: '127.0.0.1:1', admin: { listen: '127.0.0.1:1' } },
      'admin.listen: "127.0.0.1:1" is the address of listen already',
    ],
  ])('name %s', async (_, file, mistake) => {
    expect(await mistakesIn({ file: { ...SMALLEST, ...file } })).toEqual([mistake]);
  });

  it.each([
    ['ftp://x', URL_EXPECTED],
    ['registry.example.com', URL_EXPECTED],
    ['https://', URL_EXPECTED],
    ['https://user@x', 'must not contain a user name or password'],
    ['https://x/?a=b', 'must not contain a query'],
    ['https://x/?', 'must not contain a query'],
    ['https://x/#a', 'must not contain a fragment'],
    ['https://x/v2/', 'must not end in /v2: manifix adds that itself'],
  ])('refuse the upstream %s', async (url, message) => {
    expect(await mistakesIn({ file: { upstreams: { hub: { url } } } })).toEqual([`upstreams.hub.url: ${message}`]);
  });

  it.each([
    [{}, 'url: required: the URL of the registry, such as https://registry.example.com'],
    [{ urls: [] }, 'urls: name at least one URL'],
    [{ url: 'http://a', urls: ['http://b'] }, 'urls: set either url or urls'],
    [{ urls: ['http://a', 'b'] }, `urls[1]: ${URL_EXPECTED}`],
    [
      { url: 'http://a', timeouts: { headers: '2d' } },
      'timeouts.headers: expected a time of at most 1d, such as 30s, got "2d"',
    ],
  ])('refuse the upstream %j', async (hub, mistake) => {
    expect(await mistakesIn({ file: { upstreams: { hub } } })).toEqual([`upstreams.hub.${mistake}`]);
  });

  it('refuse a pattern that no tag matches, for all endpoints and for one', async () => {
    const form = 'a tag is made of letters, digits, ".", "_" and "-"; "*" stands for any of them';
    const cache = { tags: { 'v[0-9]': '1h' } };
    expect(await mistakesIn({ file: { ...SMALLEST, cache, endpoints: [{ cache }] } })).toEqual([
      `cache.tags."v[0-9]": ${form}`,
      `endpoints[0].cache.tags."v[0-9]": ${form}`,
    ]);
  });

  it('never repeat a password', async () => {
    const url = 'https://me:s3cret@registry.example.com';
    for (const file of [{ upstreams: { hub: { url } } }, { upstreams: { hub: url } }, { upstreams: [url] }]) {
      const mistakes = await mistakesIn({ file });
      expect(mistakes).not.toEqual([]);
      expect(mistakes.join('\n')).not.toContain('s3cret');
    }
  });
});

describe('upstreams and endpoints', () => {
  const two = { upstreams: { a: { url: 'http://a.example.com' }, b: { url: 'http://b.example.com' } } };

  it('need at least one upstream', async () => {
    expect(await mistakesIn({ file: { upstreams: {} } })).toEqual([
      expect.stringMatching(/^upstreams: required: at least one /),
    ]);
    expect(await mistakesIn({ file: '' })).toEqual([expect.stringMatching(/^upstreams: required: /)]);
  });

  it.each([
    ['endpoints for several upstreams', {}, ['endpoints: required, because there are several upstreams: a, b']],
    [
      'the upstream of an endpoint, when there are several',
      { endpoints: [{}] },
      ['endpoints[0].upstream: required: one of a, b'],
    ],
    [
      'an upstream that exists',
      { endpoints: [{ upstream: 'zebra' }] },
      ['endpoints[0].upstream: unknown upstream "zebra"; there is a, b'],
    ],
    [
      'names that differ',
      { endpoints: [{ upstream: 'a' }, { upstream: 'b', host: 'b' }] },
      ['endpoints[1].name: "default" is the name of endpoints[0] already'],
    ],
    [
      'hosts that differ, in any case of letters',
      {
        endpoints: [
          { name: 'a', upstream: 'a', host: 'X:1' },
          { name: 'b', upstream: 'b', host: 'x:1' },
        ],
      },
      ['endpoints[1].host: "x:1" is the host of endpoints[0] already'],
    ],
    [
      'a host, a prefix or namespaces for all endpoints but one',
      {
        endpoints: [
          { name: 'a', upstream: 'a' },
          { name: 'b', upstream: 'b' },
          { name: 'c', upstream: 'a' },
        ],
      },
      [
        'endpoints[1]: needs a host, a prefix or ns: endpoints[0] takes all other requests already',
        'endpoints[2]: needs a host, a prefix or ns: endpoints[0] takes all other requests already',
      ],
    ],
    [
      'prefixes that differ',
      {
        endpoints: [
          { name: 'a', upstream: 'a', prefix: 'team/x' },
          { name: 'b', upstream: 'b', prefix: 'team/x' },
        ],
      },
      ['endpoints[1].prefix: "team/x" is the prefix of endpoints[0] already'],
    ],
    [
      'namespaces that differ, in any case of letters',
      {
        endpoints: [
          { name: 'a', upstream: 'a', ns: ['docker.io', 'GHCR.io'] },
          { name: 'b', upstream: 'b', ns: ['quay.io', 'ghcr.io', 'quay.io'] },
        ],
      },
      [
        'endpoints[1].ns[1]: endpoints[0] stands for "ghcr.io" already',
        'endpoints[1].ns[2]: endpoints[1] stands for "quay.io" already',
      ],
    ],
    [
      'a prefix that is the name of a repository',
      { endpoints: [{ upstream: 'a', prefix: '/Team/' }] },
      ['endpoints[0].prefix: expected the first part of repository names, such as team or mirrors/hub, got "/Team/"'],
    ],
    [
      'patterns that some repository matches',
      {
        endpoints: [
          { upstream: 'a', repositories: { allow: ['team/**'], deny: ['Team/*', 'a**'] }, readOnly: 'maybe' },
        ],
      },
      [
        'endpoints[0].repositories.deny[0]: expected a pattern of repository names such as team/app, team/* or team/**, got "Team/*"',
        'endpoints[0].repositories.deny[1]: expected a pattern of repository names such as team/app, team/* or team/**, got "a**"',
        'endpoints[0].readOnly: expected true or false, got "maybe"',
      ],
    ],
  ])('need %s', async (_, file, mistakes) => {
    expect(await mistakesIn({ file: { ...two, ...file } })).toEqual(mistakes);
  });

  it.each(['A', 'a b', '-a', '__proto__', 'a/b', ''])('refuse the name %j', async (name) => {
    const upstreams = JSON.stringify(name);
    const mistakes = await mistakesIn({ file: `{ upstreams: { ${upstreams}: { url: "http://a.example.com" } } }` });
    expect(mistakes).toEqual([expect.stringContaining('a name is made of lower-case letters and digits')]);
  });
});

describe('the certificate to listen with', () => {
  const one = makeCertificate({ name: 'one' });

  /** The mistakes of a configuration whose two files have this content; undefined is a key that is not there. */
  async function mistakesWith(cert: string | undefined, key: string | undefined): Promise<readonly string[]> {
    await using directory = await temporaryDirectory();
    const files = { cert, key };
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory.path, name), text ?? '');
    const tls = Object.fromEntries(
      Object.entries(files).flatMap(([name, text]) => (text === undefined ? [] : [[name, join(directory.path, name)]])),
    );
    const mistakes = await mistakesIn({ file: { ...SMALLEST, tls } });
    return mistakes.map((mistake) => mistake.replaceAll(directory.path, 'DIR'));
  }

  it('is right with both files', async () => {
    expect(await mistakesWith(one.certificate, one.key)).toEqual([]);
  });

  it.each([
    [one.certificate, undefined, 'tls.key: required beside tls.cert'],
    [undefined, one.key, 'tls.cert: required beside tls.key'],
    ['', one.key, 'tls.cert: the file holds no certificate in PEM'],
    [one.certificate, makeCertificate({ name: 'other' }).key, 'tls.key: the file is not the key of the certificate'],
  ])('is told what is wrong with it (%#)', async (cert, key, mistake) => {
    expect(await mistakesWith(cert, key)).toEqual([mistake]);
  });

  it('is missed when its files are missing, each by its path', async () => {
    expect(await mistakesIn({ file: { ...SMALLEST, tls: { cert: '/none/a', key: '/none/b' } } })).toEqual([
      'tls.cert: /none/a cannot be read: no such file or directory',
      'tls.key: /none/b cannot be read: no such file or directory',
    ]);
  });
});

it('any document brings a configuration or mistakes, never an exception', async () => {
  const key = fc.constantFrom(
    'listen',
    'cache',
    'upstreams',
    'endpoints',
    'fixes',
    'mode',
    'add-type',
    'url',
    '__proto__',
    'constructor',
  );
  const { document } = fc.letrec((tie) => ({
    document: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie('document')),
      fc.dictionary(key, tie('document')),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(fc.dictionary(key, document), async (file) => {
      const mistakes = await mistakesIn({ file: JSON.stringify(file) });
      expect(mistakes.every((mistake) => /^\S.*: \S/.test(mistake))).toBe(true);
    }),
    { numRuns: 100 },
  );
}, 180_000);
