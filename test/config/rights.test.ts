import { describe, expect, it } from 'vitest';
import { loadValid, mistakesIn } from './support.ts';

const AUTH = { tokens: true, oidc: [{ name: 'ci', issuer: 'https://issuer.test', audience: 'manifix' }] };
const UPSTREAMS = { hub: { url: 'http://hub.test', credentials: 'none' } };
const withRules = (rights: readonly object[], more: object = {}, auth: object | null = AUTH) => ({
  file: { upstreams: UPSTREAMS, groups: { dev: ['bob'] }, endpoints: [{ ...(auth && { auth }), rights }], ...more },
});

describe('rights', () => {
  it('are read with the words of their rules', async () => {
    const who = ['bob', 'ci:x', 'group:dev', 'group:ci:dev', 'claim:ci:ref=refs/*', 'authenticated', 'everybody'];
    const rules = [
      { who, allow: ['pull'], repositories: ['a/**'] },
      { who: ['bob'], deny: ['push', 'delete'] },
    ];
    const { endpoints, groups } = await loadValid(withRules(rules));
    expect(groups).toEqual({ dev: ['bob'] });
    expect(endpoints[0]?.login).toEqual({ challenge: 'bearer', tokenTtl: 300_000 });
    expect(endpoints[0]?.rights).toMatchObject([
      {
        effect: 'allow',
        actions: ['pull'],
        repositories: ['a/**'],
        who: { length: 7, 0: { kind: 'user', name: 'bob' } },
      },
      { effect: 'deny', actions: ['push', 'delete'], repositories: ['**'] },
    ]);
  });

  it.each([
    [{ who: ['bob'] }, 'rights[0]: needs allow or deny: a list of actions'],
    [
      { who: ['bob'], allow: ['pull'], deny: ['push'] },
      'rights[0].deny: set either allow or deny; another rule can say the other',
    ],
    [{ who: [], allow: ['pull'] }, 'rights[0].who: is empty, so that the rule never matches'],
    [{ who: ['bob'], allow: [] }, 'rights[0].allow: is empty, so that the rule never matches'],
    [{ who: ['group:dve'], allow: ['pull'] }, 'rights[0].who[0]: there is no group "dve"; did you mean "dev"?'],
    [{ who: ['group:zebra'], allow: ['pull'] }, 'rights[0].who[0]: there is no group "zebra"; groups lists them'],
    [{ who: ['group:cd:dev'], allow: ['pull'] }, 'rights[0].who[0]: auth.oidc has no entry "cd"; did you mean "ci"?'],
    [{ who: ['claim:xyz:a=b'], allow: ['pull'] }, 'rights[0].who[0]: auth.oidc has no entry "xyz"'],
    [{ who: ['cert:x'], allow: ['pull'] }, 'rights[0].who[0]: needs auth.certificates'],
    [{ who: ['x:y'], allow: ['pull'] }, 'rights[0].who[0]: auth.oidc has no entry "x"'],
  ])('of %j are a mistake', async (rule, mistake) => {
    expect(await mistakesIn(withRules([rule]))).toEqual([`endpoints[0].${mistake}`]);
  });

  it('need a way to log in, and one from which such users come', async () => {
    const rule = { who: ['bob'], allow: ['pull'] };
    expect(await mistakesIn(withRules([rule], {}, null))).toEqual([
      expect.stringMatching(/^endpoints\[0\]\.rights: needs auth: /),
    ]);
    const issuers = { oidc: AUTH.oidc };
    expect(await mistakesIn(withRules([rule], {}, issuers))).toEqual([
      'endpoints[0].rights[0].who[0]: needs auth.htpasswd or auth.tokens: other users have a prefix, such as ci:bob',
    ]);
  });

  it('name groups in a form that rules can name', async () => {
    expect(await mistakesIn(withRules([], { groups: { 'a:b': ['bob'] } }))).toEqual([
      'groups."a:b": a name is made of letters and digits, with ".", "_" or "-" between them',
    ]);
    expect(await mistakesIn(withRules([], { groups: { a: ['group:b'] } }))).toEqual([
      expect.stringMatching(/^groups\.a\[0\]: expected the name of a user/),
    ]);
  });
});
