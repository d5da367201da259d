import { describe, expect, it } from 'vitest';
import { FIXES } from '../../src/fixes/index.ts';
import { mistakesIn, SMALLEST } from './support.ts';

const mistakesOf = (file: object) => mistakesIn({ file: { ...SMALLEST, ...file }, fixes: FIXES });

describe('settings of fixes that conflict are mistakes', () => {
  it.each([
    [
      'strict with a fix that changes bytes',
      { endpoints: [{ profile: 'strict', fixes: { 'index-without-mediatype': 'on' } }] },
      'endpoints[0].fixes.index-without-mediatype: gives manifests other bytes, which profile: strict rules out; leave one of the two out',
    ],
    [
      'a fix for all endpoints over a strict one',
      { fixes: { 'oci-vs-docker-relabel': { mode: 'on' } }, endpoints: [{ profile: 'strict' }] },
      'endpoints[0].profile: strict rules out fixes.oci-vs-docker-relabel: on, which counts before it; set fixes: { oci-vs-docker-relabel: off } for this endpoint',
    ],
    [
      'an option of a fix that is off for all',
      { fixes: { 'index-without-mediatype': { mode: 'off', force: 'yes' } } },
      'fixes.index-without-mediatype.force: has no effect, because mode is off; leave it out, or set mode: on or observe',
    ],
    [
      'an option of a fix that is off for one',
      { endpoints: [{ fixes: { 'tags-list-shape': { mode: false, aggregate: 'yes' } } }] },
      'endpoints[0].fixes.tags-list-shape.aggregate: has no effect, because mode is off; leave it out, or set mode: on or observe',
    ],
    [
      'a repair of pushes where nobody pushes',
      { endpoints: [{ readOnly: true, fixes: { 'push-index-without-mediatype': 'on' } }] },
      'endpoints[0].fixes.push-index-without-mediatype: changes what is pushed, and readOnly lets nobody push; leave one of the two out',
    ],
  ])('%s', async (_, file, mistake) => {
    expect(await mistakesOf(file)).toEqual([mistake]);
  });

  it.each([
    ['strict alone', { endpoints: [{ profile: 'strict', fixes: { 'accept-shape': 'on' } }] }],
    [
      'strict with its own word against the global one',
      {
        fixes: { 'oci-vs-docker-relabel': 'on' },
        endpoints: [{ profile: 'strict', fixes: { 'oci-vs-docker-relabel': 'off' } }],
      },
    ],
    ['an option that waits for an endpoint', { fixes: { 'index-without-mediatype': { force: 'yes' } } }],
    ['a global repair of pushes', { fixes: { 'push-index-without-mediatype': 'on' }, endpoints: [{ readOnly: true }] }],
  ])('%s is none', async (_, file) => {
    expect(await mistakesOf(file)).toEqual([]);
  });
});
