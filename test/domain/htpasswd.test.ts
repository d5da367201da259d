import { describe, expect, it } from 'vitest';
import { parseHtpasswd } from '../../src/domain/htpasswd.ts';

const HASH = `$2y$05$${'a'.repeat(53)}`;

/** The problem with the only line that has one. */
function problemIn(text: string): string | undefined {
  const content = parseHtpasswd(text);
  return 'mistakes' in content && content.mistakes.length === 1 ? content.mistakes[0]?.problem : undefined;
}

describe('a file of passwords', () => {
  it('has a user and a bcrypt hash in each line, as htpasswd -B writes them', () => {
    const text = `bob:${HASH}\r\n\n# the robots\n  ann:${HASH.replace('2y', '2b')}  \nold:${HASH.replace('2y', '2a')}`;
    expect(parseHtpasswd(text)).toEqual({
      users: new Map([
        ['bob', HASH],
        ['ann', HASH.replace('2y', '2b')],
        ['old', HASH.replace('2y', '2a')],
      ]),
    });
  });

  it('may be empty: then nobody can log in', () => {
    expect(parseHtpasswd('')).toEqual({ users: new Map() });
  });

  it.each([
    ['$apr1$x$y', 'MD5 (apr1)'],
    ['{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', 'SHA-1'],
    ['$5$salt$hash', 'SHA-256'],
    ['$6$salt$hash', 'SHA-512'],
    ['$2y$05$short', 'damaged bcrypt'],
    ['secret', 'plain text or crypt'],
    ['', 'plain text or crypt'],
  ])('says of the hash "%s" that it is %s, and how to make a right one', (hash, kind) => {
    expect(problemIn(`bob:${hash}`)).toBe(
      `has a password in ${kind} for "bob"; make a bcrypt hash: htpasswd -B FILE bob`,
    );
  });

  it.each(['03', '17', '31'])('takes no cost of %s', (cost) => {
    expect(problemIn(`bob:$2y$${cost}$${'a'.repeat(53)}`)).toContain(`cost ${Number(cost)} for "bob"`);
  });

  it('names the line of each mistake, and no hash', () => {
    const content = parseHtpasswd(`bob:${HASH}\nwhat is this\n:${HASH}\nbob:${HASH}\nann:hunter2`);
    expect(content).toEqual({
      mistakes: [
        { line: 2, problem: 'is not "user:hash"' },
        { line: 3, problem: 'is not "user:hash"' },
        { line: 4, problem: 'names "bob" again' },
        { line: 5, problem: expect.stringContaining('for "ann"') },
      ],
    });
    expect(JSON.stringify(content)).not.toContain('hunter2');
  });

  it('is not read on after ten mistakes: it is another kind of file', () => {
    const content = parseHtpasswd('x\n'.repeat(1_000));
    expect('mistakes' in content && content.mistakes.length).toBe(10);
  });
});
