import { headerValue } from '../headers.ts';
import { fin, head, respond, rst, type Step, send } from '../script-steps.ts';

/** The answer of a registry that has the blob: whole, or the part that Range asks for. */
export function serveBlob(bytes: Buffer): Step {
  return (context) => answerFor(bytes, headerValue(context.headers, 'Range'))(context);
}

function answerFor(bytes: Buffer, range: string | undefined): Step {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === '' && last === '') return respond(200, [], bytes);
  const start = first === '' ? Math.max(0, bytes.length - Number(last)) : Number(first);
  const end = first === '' || last === '' ? bytes.length - 1 : Math.min(Number(last), bytes.length - 1);
  if (start > end) return respond(416, [['Content-Range', `bytes */${bytes.length}`]]);
  return respond(206, [['Content-Range', `bytes ${start}-${end}/${bytes.length}`]], bytes.subarray(start, end + 1));
}

export type Break = 'FIN' | 'RST';

/** The head and the first `count` bytes of a whole blob, and the end of the connection. */
export function cutBlob(bytes: Buffer, count: number, how: Break): readonly Step[] {
  const ending = how === 'FIN' ? fin() : rst();
  return [head(200, [`Content-Length: ${bytes.length}`]), send(bytes.subarray(0, count)), ending];
}

/** The steps one after the other, as one. */
export function inOrder(...steps: readonly Step[]): Step {
  return async (context) => {
    for (const step of steps) if (!context.socket.destroyed) await step(context);
  };
}
