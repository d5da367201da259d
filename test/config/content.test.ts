import { describe, expect, it } from 'vitest';
import { summarize } from '../../src/config/summary.ts';
import { someDigest } from '../support/views.ts';
import { loadValid, mistakesIn, SMALLEST } from './support.ts';

const withContent = (content: object) => ({ ...SMALLEST, endpoints: [{ content }] });

describe('the policy on content of an endpoint', () => {
  const written = {
    pins: [{ repository: 'library/alpine', tag: '3.*', digest: someDigest }],
    deny: [
      { digests: [someDigest], message: 'withdrawn' },
      { repositories: ['old/**'], message: 'moved' },
    ],
    coolDown: [{ age: '3d' }],
  };

  it('has pins, denials and cool-downs, which are about everything that they do not narrow', async () => {
    const { endpoints } = await loadValid({ file: withContent(written) });
    expect(endpoints[0]?.content).toEqual({
      pins: written.pins,
      deny: [
        { repositories: ['**'], tags: [], digests: [someDigest], message: 'withdrawn' },
        { repositories: ['old/**'], tags: [], digests: [], message: 'moved' },
      ],
      coolDown: [{ repositories: ['**'], tags: ['*'], age: 3 * 86_400_000, unknown: 'serve' }],
    });
  });

  it('is counted by manifix check', async () => {
    expect(summarize(await loadValid({ file: withContent(written) }), [])).toContain(
      ', 1 pin, 2 denials, 1 cool-down, fixes:',
    );
  });

  it.each([
    [{ pins: [{ ...written.pins[0], digest: 'sha256:12' }] }, 'pins[0].digest: expected a digest such as'],
    [
      { pins: [{ ...written.pins[0], tag: 3.2 }] },
      'pins[0].tag: expected a tag, or a pattern of tags such as 1.* or *, got 3.2',
    ],
    [{ deny: [{ message: 'no' }] }, 'deny[0]: name what is denied: repositories, tags or digests'],
    [{ deny: [{ tags: ['1.*'] }] }, 'deny[0].message: required'],
    [{ deny: 'no' }, 'deny: '],
    [{ coolDown: [{ repositories: ['a'] }] }, 'coolDown[0].age: required'],
    [{ coolDown: [{ age: '3d', unknown: 'wait' }] }, 'coolDown[0].unknown: '],
  ])('%j is a mistake that is told with its path', async (content, mistake) => {
    expect((await mistakesIn({ file: withContent(content) })).join('\n')).toContain(`endpoints[0].content.${mistake}`);
  });
});
