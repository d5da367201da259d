import { describe, expect, it } from 'vitest';
import { listItems, parseList } from '../../src/domain/list.ts';

const parse = (text: string) => parseList(Buffer.from(text));

describe('a list', () => {
  it('is any JSON object', () => {
    expect(parse('{"name":"a","tags":null}')).toEqual({ name: 'a', tags: null });
    expect(parse('{"tags":["a"],"tags":[]}')).toEqual({ tags: [] });
  });

  it.each(['', '[]', '"tags"', '<html>', '{"tags":[]', '{} {}', `{"tags":${'['.repeat(100_000)}`])(
    'is not the text %.20s',
    (text) => {
      expect(parse(text)).toBeUndefined();
    },
  );

  it('cannot reach the prototype of objects', () => {
    const document = { ...parse('{"__proto__":{"polluted":1},"tags":[]}') };
    expect(Object.hasOwn(document, '__proto__')).toBe(true);
    expect((document as { polluted?: number }).polluted).toBeUndefined();
  });

  it('has its items where its kind has them', () => {
    const document = { tags: ['a'], repositories: ['b'], manifests: null };
    expect(listItems('tags', document)).toEqual(['a']);
    expect(listItems('catalog', document)).toEqual(['b']);
    expect(listItems('referrers', document)).toBeUndefined();
  });
});
