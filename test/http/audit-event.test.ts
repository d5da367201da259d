import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { eventOf } from '../../src/http/audit-event.ts';
import { parseTarget } from '../../src/http/routes.ts';
import { fakeUpstream } from '../support/fake-upstream.ts';
import { exchange } from '../support/http.ts';
import { fakeEndpoint } from '../support/scene.ts';
import { startEdge } from './edge.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const endpoint = fakeEndpoint(fakeUpstream());
const { name: upstream } = endpoint.upstream;
const answered = (status: number) => ({ status, headers: [['docker-content-digest', digest]] as const });

const ofRequest = (method: string, target: string, status = 201) =>
  eventOf(method, { endpoint, target: parseTarget(target) }, answered(status), undefined);

describe('what the audit log is told of a request', () => {
  it('a push, with the digest that the client was told', () => {
    expect(ofRequest('PUT', '/v2/team/app/manifests/1.2')).toEqual({
      ...{ event: 'push', outcome: 'done', endpoint: 'default', upstream, repository: 'team/app', reference: '1.2' },
      ...{ digest, status: 201 },
    });
  });

  it.each([
    ['/v2/team/app/manifests/1.2', '1.2'],
    [`/v2/team/app/manifests/${digest}`, digest],
    [`/v2/team/app/blobs/${digest}`, digest],
  ])('a deletion of %s', (target, reference) => {
    expect(ofRequest('DELETE', target, 202)).toEqual({
      ...{ event: 'delete', outcome: 'done', endpoint: 'default', upstream, repository: 'team/app', reference },
      status: 202,
    });
  });

  it.each([
    [401, 'refused'],
    [404, 'refused'],
    [500, 'failed'],
    [502, 'failed'],
  ])('an attempt that was answered %d', (status, outcome) => {
    expect(ofRequest('PUT', '/v2/team/app/manifests/1.2', status)).toMatchObject({ event: 'push', outcome, status });
  });

  it.each([
    ['GET', '/v2/team/app/manifests/1.2'],
    ['HEAD', `/v2/team/app/blobs/${digest}`],
    ['POST', '/v2/team/app/blobs/uploads/'],
    ['PUT', '/v2/team/app/blobs/uploads/1?digest=sha256:0'],
    ['DELETE', '/v2/team/app/blobs/uploads/1'],
  ])('nothing of %s %s', (method, target) => {
    expect(ofRequest(method, target)).toBeUndefined();
  });

  it('nothing of a request that reached no endpoint', () => {
    expect(eventOf('PUT', undefined, answered(404), new RegistryError('NAME_UNKNOWN'))).toBeUndefined();
  });

  it('a denial, whatever the client was told', () => {
    const denied = { action: 'pull', endpoint: 'team', repository: 'secret', user: 'bob' } as const;
    const failure = new RegistryError('NAME_UNKNOWN', { denied });
    expect(eventOf('GET', undefined, { status: 404, headers: [] }, failure)).toEqual({
      event: 'denied',
      outcome: 'refused',
      endpoint: 'team',
      repository: 'secret',
      user: 'bob',
      status: 404,
      detail: { action: 'pull' },
    });
  });
});

describe('the audit log', () => {
  it('is told where a request came from as far as proxies are believed, and which request it was', async () => {
    for (const [believed, client] of [
      [true, '203.0.113.9'],
      [false, '127.0.0.1'],
    ] as const) {
      await using edge = await startEdge(undefined, { trusts: () => believed });
      const headers = { 'X-Forwarded-For': '203.0.113.9' };
      await exchange(edge.url, { method: 'DELETE', target: '/v2/team/app/manifests/1', headers });
      const event = await edge.audited.first('the event', () => true);
      expect(event).toMatchObject({ event: 'delete', client: expect.stringContaining(client) });
      expect((await edge.finished.first('the record', () => true)).id).toBe(event.requestId);
    }
  });
});
