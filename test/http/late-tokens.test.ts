import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/domain/errors.ts';
import { type HeaderList, headerValue } from '../../src/domain/headers.ts';
import { callerAt } from '../../src/http/client.ts';
import { dispatchWithLateToken } from '../../src/http/late-tokens.ts';
import { withoutStandIn } from '../../src/http/stand-in-tokens.ts';
import { createTokenMemory } from '../../src/http/token-memory.ts';
import type { Answer, Exchange } from '../../src/pipeline/exchange.ts';
import { fakeUpstream } from '../support/fake-upstream.ts';
import { bytesOf, fakeEndpoint, fakeExchange } from '../support/scene.ts';

const page: Answer = { status: 200, headers: [], body: { kind: 'none' } };
const given = (token: string): Answer => ({
  ...page,
  body: { kind: 'bytes', bytes: Buffer.from(`{"token":"${token}"}`) },
});

/** A client that shows the stand-in for a token that the test lets come, and what becomes of its requests. */
async function setUp() {
  const memory = createTokenMemory({ now: () => 0, patience: 1 });
  const endpoint = fakeEndpoint(fakeUpstream());
  const later = Promise.withResolvers<Answer>();
  const answer = await memory.standIns.answer(endpoint.upstream, true, () => later.promise);
  const { token } = JSON.parse((await bytesOf(answer.body)).toString());
  const sent: (string | undefined)[] = [];
  const applied: Exchange['applied'] = [{ id: 'before', mode: 'on', note: 'n' }];
  const ask = (dispatch: (exchange: Exchange) => Promise<Answer>, method = 'GET') => {
    const headers: HeaderList = [['Authorization', `Bearer ${token}`]];
    const open = (shown: HeaderList): Exchange => ({
      ...fakeExchange(endpoint, method, '/v2/app/manifests/1', withoutStandIn(shown)),
      caller: callerAt(endpoint, shown, '', memory),
      applied,
    });
    const dispatched = (exchange: Exchange) => {
      sent.push(headerValue(exchange.request.headers, 'Authorization'));
      return dispatch(exchange);
    };
    return dispatchWithLateToken(dispatched, memory.standIns, headers, open);
  };
  return { later, sent, applied, ask };
}

/** A registry that wants a token. */
async function wantsToken({ request, caller, applied }: Exchange): Promise<Answer> {
  applied.push({ id: 'accept-shape', mode: 'on', note: 'n' });
  if (headerValue(request.headers, 'Authorization') === 'Bearer t') return page;
  throw caller.withoutToken;
}

describe('a request that shows a stand-in', () => {
  it('is answered without a token where that will do', async () => {
    const { ask, sent } = await setUp();
    expect(await ask(async () => page)).toBe(page);
    expect(sent).toEqual([undefined]);
  });

  it('is carried out with the token that came meanwhile', async () => {
    const { ask, sent, later } = await setUp();
    later.resolve(given('t'));
    await later.promise;
    expect(await ask(wantsToken)).toBe(page);
    expect(sent).toEqual(['Bearer t']);
  });

  it('waits for the token where nothing is done without one, and counts its repairs once', async () => {
    const { ask, sent, later, applied } = await setUp();
    const answer = ask(async (exchange) => {
      // Nobody waits before the registry has said that it wants a token.
      if (sent.length === 1) setImmediate(() => later.resolve(given('t')));
      return wantsToken(exchange);
    });
    expect(await answer).toBe(page);
    expect(sent).toEqual([undefined, 'Bearer t']);
    expect(applied.map(({ id }) => id)).toEqual(['before', 'accept-shape']);
  });

  it('fails with what the token service said at last', async () => {
    const { ask, later } = await setUp();
    later.resolve({ ...page, status: 401 });
    await expect(ask(wantsToken)).rejects.toMatchObject({
      status: 401,
      message: expect.stringContaining('answered 401'),
    });
  });

  it.each([
    ['for another reason', 'GET', () => new RegistryError('MANIFEST_UNKNOWN')],
    ['when it changes something', 'DELETE', ({ caller }: Exchange) => caller.withoutToken],
  ])('fails at once %s', async (_, method, reasonOf) => {
    const { ask, sent } = await setUp();
    const failing = async (exchange: Exchange) => {
      throw reasonOf(exchange);
    };
    await expect(ask(failing, method)).rejects.toBeInstanceOf(RegistryError);
    expect(sent).toEqual([undefined]);
  });
});
