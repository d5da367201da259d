import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { barrier, within } from '../support/deadline.ts';
import { exchange } from '../support/http.ts';
import { startManifix } from '../support/manifix.ts';
import { head, respond, send, waitFor } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';
import { openAnswer } from './streaming-client.ts';

const MIB = 1024 * 1024;
const bytes = randomBytes(40 * MIB);
const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const target = `/v2/app/blobs/${digest}`;

/** A registry that has sent the first MiB of a 40 MiB blob and waits before the rest. */
async function startWaitingRegistry() {
  const rest = barrier();
  const upstream = await startScriptedUpstream();
  upstream.on('HEAD', /blobs/, [respond(200, [['Docker-Content-Digest', digest]])]);
  upstream.once('GET', /blobs/, [
    head(200, [`Content-Length: ${bytes.length}`]),
    send(bytes.subarray(0, MIB)),
    waitFor(rest),
    send(bytes.subarray(MIB)),
  ]);
  return { upstream, rest };
}

describe('a part of a blob that is being downloaded', () => {
  it('comes from that download when it begins near and goes to the end', async () => {
    const { upstream, rest } = await startWaitingRegistry();
    await using registry = upstream;
    await using manifix = await startManifix({ upstream: registry.url });
    const whole = exchange(manifix.url, { target });
    await registry.requestArrived(({ method }) => method === 'GET');
    const part = await openAnswer(`${manifix.url}${target}`, { headers: { Range: `bytes=${2 * MIB}-` } });
    expect(part.status).toBe(206);
    expect(part.headers['content-range']).toBe(`bytes ${2 * MIB}-${bytes.length - 1}/${bytes.length}`);
    rest.release();
    expect((await within('the part', part.whole())).equals(bytes.subarray(2 * MIB))).toBe(true);
    expect((await within('the whole', whole)).body.equals(bytes)).toBe(true);
    expect(registry.requests.filter(({ method }) => method === 'GET')).toHaveLength(1);
  });

  it('is asked of the registry when the download is far away', async () => {
    const { upstream, rest } = await startWaitingRegistry();
    await using registry = upstream;
    await using manifix = await startManifix({ upstream: registry.url });
    const range = `bytes=${38 * MIB}-${38 * MIB + 9}`;
    const answer = bytes.subarray(38 * MIB, 38 * MIB + 10);
    const contentRange = ['Content-Range', `${range.replace('=', ' ')}/${bytes.length}`] as const;
    const whole = exchange(manifix.url, { target });
    await registry.requestArrived(({ method }) => method === 'GET');
    registry.on('GET', /blobs/, [respond(206, [contentRange], answer)]);
    const part = await within('the part', exchange(manifix.url, { target, headers: { Range: range } }));
    expect(part.status).toBe(206);
    expect(part.body.equals(answer)).toBe(true);
    rest.release();
    expect((await within('the whole', whole)).body.equals(bytes)).toBe(true);
  });
});
