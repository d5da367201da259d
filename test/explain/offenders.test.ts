import { describe, expect, it } from 'vitest';
import { createOffenders } from '../../src/explain/offenders.ts';
import type { FinishedRequest } from '../../src/pipeline/ports.ts';

const request = (over: Partial<FinishedRequest>): FinishedRequest => ({
  id: '1',
  endpoint: 'default',
  kind: 'manifest',
  method: 'GET',
  path: '/v2/team/app/manifests/1',
  status: 200,
  cache: 'hit',
  bytesSent: 0,
  seconds: 0,
  client: '127.0.0.1',
  userAgent: 'curl/7.88.1',
  fixes: [{ id: 'accept-shape', mode: 'on', note: 'wrote Accept' }],
  ...over,
});

describe('the report of who needs fixing', () => {
  it('counts by fix, client, endpoint and repository, the most frequent first', () => {
    const clock = { now: 0 };
    const offenders = createOffenders(() => clock.now);
    offenders.requestFinished(request({ path: '/v2/other/blobs/uploads/', userAgent: undefined }));
    clock.now = 5000;
    for (let count = 0; count < 3; count += 1) offenders.requestFinished(request({}));
    expect(offenders.report(10)).toEqual({
      since: '1970-01-01T00:00:00.000Z',
      more: 0,
      offenders: [
        {
          fix: 'accept-shape',
          client: 'curl',
          endpoint: 'default',
          repository: 'team/app',
          count: 3,
          lastSeen: '1970-01-01T00:00:05.000Z',
          note: 'wrote Accept',
          page: 'docs/fixes/accept-shape.md',
        },
        expect.objectContaining({ client: 'none', repository: 'other', count: 1 }),
      ],
    });
    expect(offenders.report(1)).toMatchObject({ offenders: [{ count: 3 }], more: 1 });
  });

  it('counts a fix once for a request, and neither failures nor requests without fixes', () => {
    const offenders = createOffenders(() => 0);
    const fix = { id: 'accept-shape', mode: 'observe', note: 'wrote Accept' } as const;
    offenders.requestFinished(request({ fixes: [fix, fix] }));
    offenders.requestFinished(request({ fixes: [] }));
    offenders.requestFinished(request({ fixes: [{ ...fix, failure: new Error('broken') }] }));
    expect(offenders.report(10).offenders).toMatchObject([{ count: 1 }]);
  });

  it('stays small however many repositories are named', () => {
    const offenders = createOffenders(() => 0);
    for (let number = 0; number < 6000; number += 1) {
      offenders.requestFinished(request({ path: `/v2/app-${number}/tags/list` }));
    }
    const {
      offenders: [first],
      more,
    } = offenders.report(1);
    expect(first).toMatchObject({ repository: '(others)', count: 1000 });
    expect(more).toBe(5000);
  });
});
