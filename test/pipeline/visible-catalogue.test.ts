import { describe, expect, it } from 'vitest';
import { createDispatch } from '../../src/pipeline/dispatch.ts';
import { allows, guardOf } from '../http/guarded.ts';
import { fakeUpstream } from '../support/fake-upstream.ts';
import { fakeServices } from '../support/fakes.ts';
import { bytesOf, fakeEndpoint, fakeExchange } from '../support/scene.ts';

/** A registry with hidden repositories between those that the client may see, and pages of at most `most`. */
async function list(query: string, { names, most = 1_000 }: { names: readonly string[]; most?: number }) {
  const upstream = fakeUpstream();
  const endpoint = { ...fakeEndpoint(upstream), guard: guardOf([allows('everybody', 'list', 'a/*')]) };
  for (let from = 0; from === 0 || from < names.length; from += most) {
    const last = from === 0 ? '' : `&last=${encodeURIComponent(names[from - 1] ?? '')}`;
    const page = names.slice(from, from + most);
    const more =
      from + most < names.length
        ? `</v2/_catalog?n=100&last=${encodeURIComponent(page.at(-1) ?? '')}>; rel="next"`
        : '';
    upstream.on('GET', `/v2/_catalog?n=100${last}`, {
      status: 200,
      headers: [['Content-Type', 'application/json'], ...(more === '' ? [] : [['Link', more] as const])],
      body: JSON.stringify({ repositories: page }),
    });
  }
  const target = `/v2/_catalog${query === '' ? '' : `?${query}`}`;
  const exchange = { ...fakeExchange(endpoint, 'GET', target), shows: (name: string) => name.startsWith('a/') };
  const { status, headers, body } = await createDispatch(fakeServices())(exchange);
  const link = headers.find(([name]) => name === 'Link')?.[1];
  return {
    status,
    link,
    names: JSON.parse((await bytesOf(body)).toString()).repositories,
    asked: upstream.asked().length,
  };
}

const hidden = (at: number) => `b/${String(at).padStart(3, '0')}`;
const names = [
  'a/1',
  ...Array.from({ length: 30 }, (_, at) => `a/1${hidden(at)}`.replace('a/1b', 'aa')),
  'a/2',
  'a/3',
].toSorted();

describe('the catalogue of a client who may not see all', () => {
  it('has pages as full as if there were nothing else', async () => {
    expect(await list('n=2', { names, most: 10 })).toMatchObject({
      status: 200,
      names: ['a/1', 'a/2'],
      link: '</v2/_catalog?n=2&last=a%2F2>; rel="next"',
    });
  });

  it('ends where the last visible name is', async () => {
    expect(await list('n=3', { names, most: 10 })).toMatchObject({ names: ['a/1', 'a/2', 'a/3'], link: undefined });
    expect(await list('', { names, most: 10 })).toMatchObject({ names: ['a/1', 'a/2', 'a/3'], link: undefined });
  });

  it('reads no more pages than it needs', async () => {
    const many = Array.from({ length: 40 }, (_, at) => `a/${String(at).padStart(2, '0')}`);
    expect(await list('n=5', { names: many, most: 10 })).toMatchObject({ names: many.slice(0, 5), asked: 1 });
  });
});
