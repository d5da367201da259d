import { type HeaderList, withHeader } from '../domain/headers.ts';
import { inTime } from '../lib/in-time.ts';
import type { Dispatch } from '../pipeline/dispatch.ts';
import type { Answer, Exchange } from '../pipeline/exchange.ts';
import type { StandIns } from './stand-in-tokens.ts';

/**
 * Carries out a request. Whoever shows a stand-in is answered without a token where that will do, and else as soon as the token is there
 * for which the stand-in was given: a token service that is only slow fails nobody.
 * @param open makes an exchange of the client's fields
 */
export async function dispatchWithLateToken(
  dispatch: Dispatch,
  standIns: StandIns,
  headers: HeaderList,
  open: (headers: HeaderList) => Exchange,
): Promise<Answer> {
  const exchange = open(headers);
  const question = standIns.question(exchange.endpoint.upstream, headers);
  if (question === undefined) return dispatch(exchange);
  const withToken = (token: string) => dispatch(open(withHeader(headers, 'Authorization', `Bearer ${token}`)));
  const early = await inTime(question, 0);
  if (early !== undefined && 'token' in early) return withToken(early.token);
  const repairs = exchange.applied.length;
  try {
    return await dispatch(exchange);
  } catch (error) {
    if (error !== exchange.caller.withoutToken || !isRead(exchange)) throw error;
    const late = await question;
    if ('error' in late) throw late.error;
    // What was repaired is repaired again.
    exchange.applied.length = repairs;
    return withToken(late.token);
  }
}

function isRead({ request }: Exchange): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}
