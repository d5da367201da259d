import { describeSize } from '../lib/units.ts';
import type { WarmProgress, WarmResult } from './warm-images.ts';

const BAR = 30;
/** In milliseconds: a terminal needs no more. */
const REDRAW = 100;

/** A bar on a terminal, and a line for each reference that is done; on anything else the lines alone. */
export function showProgress(stream: NodeJS.WriteStream, now: () => number): WarmProgress {
  let planned = 0;
  let received = 0;
  let drawn = 0;
  const draw = () => {
    if (!stream.isTTY || now() - drawn < REDRAW) return;
    drawn = now();
    stream.write(`\r\x1b[K${bar(received, planned)}`);
  };
  return {
    planned(bytes) {
      planned += bytes;
      draw();
    },
    received(bytes) {
      received += bytes;
      draw();
    },
    finished(result) {
      stream.write(`${stream.isTTY ? '\r\x1b[K' : ''}${formatWarmed(result)}\n`);
    },
  };
}

/** `[==========          ] 50%  10.0 MiB of 20.0 MiB` */
export function bar(received: number, planned: number): string {
  const share = planned === 0 ? 0 : Math.min(1, received / planned);
  const full = Math.round(share * BAR);
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  return `[${'='.repeat(full)}${' '.repeat(BAR - full)}]${percent}  ${describeSize(received)} of ${describeSize(planned)}`;
}

/** One line for a reference, and one below it for each failure. */
export function formatWarmed({ reference, images, blobs, bytes, failures }: WarmResult): string {
  const amount = `${count(images, 'image')}, ${count(blobs, 'blob')}, ${describeSize(bytes)}`;
  const lines = failures.map((failure) => `  ${failure}`);
  return [`${reference}  ${failures.length === 0 ? amount : 'incomplete'}`, ...lines].join('\n');
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
