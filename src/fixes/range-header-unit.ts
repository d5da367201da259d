import { headerValue, withHeader } from '../domain/headers.ts';
import type { Fix, ResponseView } from './fix.ts';

/** With a unit, as the document of docker's API shows it, or with the whole size behind it. */
const RANGE = /^(?:bytes\s*[= ])?\s*\d+\s*-\s*(\d+)(?:\/(?:\d+|\*))?$/i;

/** docker reads `Range` with `%d-%d`, and the specification has no unit in it. */
export const rangeHeaderUnit: Fix = {
  id: 'range-header-unit',
  title: 'Range in the answers of an upload is 0- and the last byte, without a unit',
  symptom: '`bad range format: bytes=0-1023`; `expected integer`',
  defaultMode: 'on',
  digest: 'unchanged',
  response: (view) => {
    if (!tellsProgress(view)) return undefined;
    const range = headerValue(view.headers, 'Range');
    const corrected = rangeIn(range?.trim()) ?? rangeOf(view);
    if (corrected === undefined || corrected === range) return undefined;
    const note = range === undefined ? `added Range ${corrected}` : `Range ${corrected} without unit`;
    return { note, headers: withHeader(view.headers, 'Range', corrected) };
  },
};

/** Whether this answer says how much of an upload has arrived. */
function tellsProgress({ request: { method, route }, status }: ResponseView): boolean {
  if (route.kind === 'upload-start') return method === 'POST' && status === 202;
  return route.kind === 'upload' && ((method === 'PATCH' && status === 202) || (method === 'GET' && status === 204));
}

/** A range that begins later is that of the last chunk: all before it has arrived, too. */
function rangeIn(range: string | undefined): string | undefined {
  const last = RANGE.exec(range ?? '')?.[1];
  return last === undefined ? undefined : `0-${last}`;
}

/** From what was forwarded. docker-registry says `0-0` of an empty session. */
function rangeOf({ request, received }: ResponseView): string | undefined {
  if (request.method === 'POST') return '0-0';
  return received === undefined ? undefined : `0-${Math.max(0, received.size - 1)}`;
}
