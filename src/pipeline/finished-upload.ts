import { Readable } from 'node:stream';
import { formatRoute } from '../domain/route-path.ts';
import { digestParameter } from '../fixes/digest-parameter.ts';
import type { RequestView, ResponseView } from '../fixes/fix.ts';
import { confirms, readHeaders } from './access.ts';
import type { Exchange } from './exchange.ts';
import type { ForwardedAnswer } from './pass-through-proxy.ts';
import { reportRepair } from './report.ts';

/**
 * A registry may take the upload for finished with its last chunk, say 201 to that, and not know the session any more when
 * the client finishes it with a PUT. When the blob is there, that PUT has what it wanted.
 */
export async function orStoredBefore(
  exchange: Exchange,
  sent: RequestView,
  answer: ForwardedAnswer,
  received: ResponseView['received'],
): Promise<ForwardedAnswer> {
  const { upstream, fixes } = exchange.endpoint;
  if (answer.status !== 404 || sent.method !== 'PUT' || sent.route.kind !== 'upload' || sent.hasBody) return answer;
  const digest = digestParameter(sent.query);
  if (digest === undefined || received?.digest !== digest || fixes.mode('upload-status-variants') !== 'on')
    return answer;
  const path = formatRoute({ kind: 'blob', repository: sent.route.repository, digest });
  const head = await upstream.request({ method: 'HEAD', path, headers: readHeaders(sent.headers) });
  head.body.destroy();
  if (head.status !== 200 || !confirms(head.headers, digest)) return answer;
  answer.body.destroy();
  reportRepair(exchange, 'upload-status-variants', 'answered 404 with 201, because the blob is stored');
  const headers = [['Location', path] as const, ['Content-Length', '0'] as const];
  return { ...answer, status: 201, headers, body: Readable.from([]) };
}
