import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MIB } from '../store/support/bytes.ts';
import { within } from '../support/deadline.ts';
import { type Download, openDownload } from '../support/faults/download.ts';
import { expectSoundFiles } from '../support/faults/invariants.ts';
import type { Death } from '../support/faults/mortal-cache.ts';
import { type FaultRig, type RigBlob, withRig } from '../support/faults/rig.ts';
import { forEachSeed, isFullRun, scale } from '../support/faults/scale.ts';
import { type RunningProcess, startProcess } from '../support/process.ts';
import { drip, head } from '../support/script-steps.ts';

const program = fileURLToPath(new URL('../support/faults/mortal-cache.ts', import.meta.url));
/** More than may wait to be written, so that there are several writes however late the file is opened. */
const SIZE = 6 * MIB;

/** Starts a process on the rig's directory, which is given up for that, and asks it for the blob. */
async function pullFromMortal(
  rig: FaultRig,
  blob: RigBlob,
  death: Death,
  meanwhile: (process: RunningProcess, download: Download) => Promise<void>,
): Promise<void> {
  await rig.cache.stop();
  const args = [program, rig.directory, rig.upstream.url, JSON.stringify(death)];
  const child = await startProcess(process.execPath, args, { ready: /^listening on \S+$/m });
  const [, url = ''] = await child.outputMatches(/^listening on (\S+)$/m);
  const download = await openDownload(url, blob);
  await meanwhile(child, download);
  expect((await within('the death', child.exited)).signal).toBe('SIGKILL');
  if ((await download.ended) === 'whole') expect(download.digest()).toBe(blob.digest);
  await expectSoundFiles(rig.directory);
  await rig.restart();
  await rig.expectAlive();
  expect(rig.cache.store.health()).toBe('ok');
  const again = await rig.pull(blob);
  expect([again.status, again.end, again.digest()]).toEqual([200, 'whole', blob.digest]);
  await rig.stored(blob);
}

const steps: readonly (readonly [string, Death['at'], number, Death['side']])[] = [
  ['the part file is opened', 'create', 2, 'before'],
  ['the part file was opened', 'create', 2, 'behind'],
  ['the first bytes are written', 'write', 1, 'before'],
  ['some of the bytes were written', 'write', 2, 'behind'],
  ['the digest was found right', 'syncData', 1, 'before'],
  ['the bytes were synced', 'syncData', 1, 'behind'],
  ['the file gets its name', 'rename', 1, 'before'],
  ['the file got its name', 'rename', 1, 'behind'],
  ['the directory was synced', 'syncDirectory', 3, 'behind'],
  ['the blob was listed', 'indexed', 1, 'behind'],
  ['the answer was sent', 'answered', 1, 'behind'],
];
const mostTelling = new Set<Death['at']>(['write', 'rename', 'indexed']);
const chosen = steps.filter(([, at, , side]) => isFullRun || (mostTelling.has(at) && side === 'behind'));

describe('F55: a process that is killed', () => {
  it.each(chosen)('when %s leaves a sound cache and starts again', async (_moment, at, number, side) => {
    await withRig({}, async (rig) => {
      const blob = rig.blob(SIZE);
      rig.serve(blob);
      await pullFromMortal(rig, blob, { at, number, side }, async () => undefined);
    });
  });

  it('at any other moment does so too', async () => {
    await forEachSeed(scale(2, 200), async (random) => {
      await withRig({}, async (rig) => {
        const blob = rig.blob(SIZE);
        rig.upstream.once('GET', blob.pattern, [
          head(200, [`Content-Length: ${SIZE}`]),
          drip(blob.bytes, SIZE / 30, 1),
        ]);
        rig.serve(blob);
        const enough = random.below(SIZE + SIZE / 10);
        await pullFromMortal(rig, blob, { at: 'never', number: 1, side: 'before' }, async (child, download) => {
          await download.received(enough);
          child.kill('SIGKILL');
        });
      });
    });
  });
});
