import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { barrier, eventually, within } from '../support/deadline.ts';
import { startManifix } from '../support/manifix.ts';
import { portIsOpen } from '../support/ports.ts';
import { respond, waitFor } from '../support/script-steps.ts';
import { startScriptedUpstream } from '../support/scripted-upstream.ts';

describe('SIGTERM', () => {
  it('lets the running request finish and ends with 0, though its connection would be kept alive', async () => {
    await using upstream = await startScriptedUpstream();
    await using manifix = await startManifix({ upstream: upstream.url, env: { MANIFIX_DRAIN_TIMEOUT: '60s' } });
    const gate = barrier();
    upstream.on('GET', /tags/, [waitFor(gate), respond(200, [['Content-Type', 'application/json']], '{"tags":[]}')]);
    const agent = new Agent({ keepAlive: true });
    const asked = request(`${manifix.url}/v2/team/app/tags/list`, { agent }).end();
    const answered = new Promise<IncomingMessage>((resolve) => asked.once('response', resolve));
    await upstream.requestArrived(({ target }) => target.includes('tags'));

    const ended = manifix.terminate();
    const port = Number(new URL(manifix.url).port);
    await eventually('nobody listens', async () => ((await portIsOpen(port)) ? undefined : true));
    gate.release();
    const answer = await within('the answer', answered);
    expect(await text(answer)).toBe('{"tags":[]}');
    expect(await within('the end', ended)).toEqual({ code: 0, signal: null });
    agent.destroy();
  });
});
