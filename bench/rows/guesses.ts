import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { hash } from 'bcrypt';
import { basicAuthorization } from '../../src/domain/credentials.ts';
import { createQuestioner } from '../clients/latency.ts';
import type { Context } from '../context.ts';
import type { Image } from '../data/image.ts';
import { TAG } from '../data/push.ts';
import { REPOSITORY } from '../data/sizes.ts';
import { atMost } from '../report/checks.ts';
import type { Check } from '../report/result.ts';
import { median } from '../report/statistics.ts';
import { startManifix } from '../servers/manifix.ts';
import { openPlace } from '../servers/server.ts';
import { ACCEPT } from './hit-servers.ts';

const PER_MINUTE = 10_000;
const PULLS = 10;
/** Of bcrypt; a guess at the name of a user that there is not costs as much. */
const COST = 10;

/** How much longer a pull of an image from the cache takes while passwords are guessed, each of another user from another address. */
export async function priceOfGuesses(context: Context, origin: string, image: Image): Promise<Check> {
  const place = await openPlace(context.stage);
  const htpasswd = join(place.directory, 'users.htpasswd');
  await writeFile(htpasswd, `bob:${await hash('secret', COST)}\n`);
  const endpoints = [{ auth: { htpasswd }, rights: [{ who: ['bob'], allow: ['pull'] }] }];
  const env = {
    MANIFIX_UPSTREAMS_DEFAULT_CREDENTIALS: 'none',
    MANIFIX_ENDPOINTS: JSON.stringify(endpoints),
    MANIFIX_TRUSTED_PROXIES: '["127.0.0.1"]',
  };
  const { url } = await startManifix(place, origin, { env });
  const login = [...ACCEPT, ['Authorization', basicAuthorization('bob', 'secret')] as const];
  const parts = [image.config, image.smallLayer, image.bigLayer].map(({ digest }) => `blobs/${digest}`);
  const questioners = [`manifests/${TAG}`, ...parts].map((part) =>
    createQuestioner('GET', `${url}/v2/${REPOSITORY}/${part}`, login),
  );
  async function pulls(): Promise<number> {
    const times: number[] = [];
    for (let count = 0; count < PULLS; count += 1) {
      let time = 0;
      for (const { ask } of questioners) time += await ask();
      times.push(time);
    }
    return median(times);
  }
  await pulls();
  const [quiet, guessed]: [number[], number[]] = [[], []];
  for (let run = 1; run <= context.runs; run += 1) {
    context.progress(`wrong passwords, run ${run} of ${context.runs}`);
    quiet.push(await pulls());
    guessed.push(await duringGuesses(url, pulls));
  }
  for (const { close } of questioners) close();
  const subject = `more time for a pull during ${PER_MINUTE} wrong passwords a minute`;
  return atMost({ subject, actual: (median(guessed) / median(quiet) - 1) * 100, bound: 10, unit: ' %', digits: 1 });
}

/** @throws when nobody was turned away meanwhile */
async function duringGuesses(url: string, measure: () => Promise<number>): Promise<number> {
  const guesser = new Worker(new URL('../clients/guesser.ts', import.meta.url), {
    workerData: { url, perMinute: PER_MINUTE },
  });
  try {
    await once(guesser, 'online');
    await pause(1_000);
    const time = await measure();
    guesser.postMessage('how many?');
    const [answered] = await once(guesser, 'message');
    if (answered === 0) throw new Error('no wrong password was turned away');
    return time;
  } finally {
    await guesser.terminate();
  }
}
