import { describe, expect, it } from 'vitest';
import { downloadBlob } from '../../bench/clients/download.ts';
import { openPlace } from '../../bench/servers/server.ts';
import { startUpstream } from '../../bench/servers/upstream.ts';
import { exchange } from '../support/http.ts';

describe('the upstream of the benchmark', () => {
  it('has every blob that was added, and counts the GET requests for each', async () => {
    await using stage = new AsyncDisposableStack();
    const upstream = await startUpstream(await openPlace(stage));
    const wanted = await upstream.add(1, 100_000);
    const other = await upstream.add(2, 100_000);
    expect(wanted.digest).toBe(wanted.blob.digest());
    await exchange(upstream.url, { method: 'HEAD', target: wanted.path });
    await downloadBlob(upstream.url + wanted.path, wanted.blob);
    await downloadBlob(upstream.url + wanted.path, wanted.blob);
    expect(await upstream.gets(wanted.digest)).toBe(2);
    expect(await upstream.gets(other.digest)).toBe(0);
  });
});
