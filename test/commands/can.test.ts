import { expect, it } from 'vitest';
import { runCanCommand } from '../../src/commands/can.ts';
import { parseCommandLine } from '../../src/config/command-line.ts';
import { warningsOf } from '../../src/config/warnings.ts';
import { loadValid } from '../config/support.ts';

const auth = { tokens: true };
const file = {
  groups: { dev: ['ann'] },
  upstreams: { hub: { url: 'https://a.test', credentials: 'none', kind: 'dockerhub' } },
  endpoints: [
    {
      name: 'a',
      upstream: 'hub',
      prefix: 'team-a',
      readOnly: true,
      repositories: { allow: ['app/**'] },
      auth,
      rights: [
        { who: ['group:dev'], allow: ['pull', 'push'], repositories: ['app/**'] },
        { who: ['ann'], deny: ['pull'], repositories: ['app/x'] },
        { who: ['bob'], allow: ['pull'], repositories: ['other'] },
      ],
    },
    { name: 'b', upstream: 'hub', prefix: 'team-b' },
    { name: 'c', upstream: 'hub', host: 'c.test', auth },
  ],
};
const rule = 'endpoints[0].rights[0] { who: [group:dev], allow: [pull, push], repositories: [app/**] }';

it.each([
  ['ann pull team-a/app/x', `yes: ${rule}`],
  ['eve pull team-a/app/x --group dev', `yes: ${rule}`],
  ['eve pull team-a/app/x', 'no: no rule of endpoints[0].rights matches'],
  ['everybody pull team-a/app/x --group dev', 'no: no rule of endpoints[0].rights matches'],
  ['ann push team-a/app/x', 'no: endpoints[0].readOnly takes no push'],
  ['ann pull team-a/b', 'no: endpoints[0].repositories does not serve library/b'],
  ['ann pull team-b/b', 'yes: endpoints[1] has no auth: its registry alone decides'],
  ['ann pull x --host C.test', 'no: no rule of endpoints[2].rights matches'],
  ['ann pull app/x', expect.stringMatching(/^no: No endpoint .* Without --host, no host is compared\.$/)],
])('check --can %s', async (words, text) => {
  const line = parseCommandLine(['check', '--can', ...words.split(' ')]);
  if (line.command !== 'check' || line.can === undefined) throw new Error('it is a question');
  const outcome = await runCanCommand(await loadValid({ file }), line.can);
  expect(outcome).toEqual({ exitCode: `${outcome.text}`.startsWith('yes') ? 0 : 1, text });
});

it('rules that never decide are told with their paths', async () => {
  expect(warningsOf(await loadValid({ file }))).toEqual([
    'endpoints[0].rights[1]: can never decide: endpoints[0].rights[0] decides before it',
    'endpoints[0].rights[2]: can never decide: the endpoint "a" serves none of its repositories',
    'endpoints[2].rights: there is no rule, so that nobody may do anything here',
  ]);
});
