import { describe, expect, it } from 'vitest';
import { rehearse } from '../../src/rehearsal.ts';
import { loadValid } from '../config/support.ts';
import { eventually } from '../support/deadline.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';

describe('the rehearsal before the first client', () => {
  it('reaches no registry and leaves nothing behind', async () => {
    await using upstream = await startScriptedUpstream();
    const connections = () => process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP')).length;
    const before = connections();
    await rehearse(await loadValid({ flags: { upstream: upstream.url } }));
    expect(upstream.requests).toEqual([]);
    await eventually('all connections are closed', async () => connections() === before || undefined);
  });
});
