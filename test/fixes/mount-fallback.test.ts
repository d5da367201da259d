import { describe, expect, it } from 'vitest';
import { mountFallback } from '../../src/fixes/mount-fallback.ts';
import { requestView, someDigest, uploadRoute, uploadStartRoute } from '../support/views.ts';

const post = requestView({ method: 'POST', route: uploadStartRoute() });
const mount = `mount=${someDigest}`;

const apply = (query: string, view = post) => mountFallback.request?.({ ...view, query }, {});

describe('mount-fallback', () => {
  it('leaves out where the blob once came from', () => {
    expect(apply(`${mount}&from=team/base&origin=docker.io`)).toEqual({
      note: 'left out the origin of the mount',
      query: `${mount}&from=team/base`,
    });
    expect(apply(`${mount}&origin=docker.io`)?.query).toBe(mount);
  });

  it.each(['registry.test:5000/team/base', 'Team', '%zz', ''])('opens a session when from is %s', (from) => {
    expect(apply(`${mount}&from=${from}&origin=docker.io`)?.query).toBe('');
  });

  it('leaves mounts that a registry can do, and other requests, alone', () => {
    expect(apply(`${mount}&from=team/base`)).toBeUndefined();
    expect(apply(`${mount}&from=team%2Fbase`)).toBeUndefined();
    expect(apply(mount)).toBeUndefined();
    expect(apply('origin=docker.io')).toBeUndefined();
    expect(apply(`${mount}&origin=docker.io`, { ...post, method: 'GET' })).toBeUndefined();
    expect(apply(`${mount}&origin=docker.io`, { ...post, route: uploadRoute() })).toBeUndefined();
  });
});
