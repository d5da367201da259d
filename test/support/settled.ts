import { setImmediate as turn } from 'node:timers/promises';

const QUIET_TURNS = 200;

/**
 * Waits until a figure stays the same while the event loop turns, and gives it. Both sides of a loopback connection in
 * this process take part in every turn, so a figure that depends on them has then come to rest.
 */
export async function settled(figure: () => number): Promise<number> {
  let last = figure();
  for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
    await turn();
    if (figure() !== last) quiet = 0;
    last = figure();
  }
  return last;
}
