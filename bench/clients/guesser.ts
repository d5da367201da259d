import { Agent, request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import { basicAuthorization } from '../../src/domain/credentials.ts';

// A thread of its own that guesses passwords: each of another user, from another address, as often as it is told.

const { url, perMinute } = workerData as { readonly url: string; readonly perMinute: number };
const agent = new Agent({ keepAlive: true });
const started = performance.now();
let sent = 0;
let answered = 0;

function guess(): void {
  sent += 1;
  const headers = {
    Authorization: basicAuthorization(`user${sent}`, `guess${sent}`),
    'X-Forwarded-For': `10.${(sent >> 16) & 255}.${(sent >> 8) & 255}.${sent & 255}`,
  };
  const asking = request(`${url}/v2/`, { agent, headers }, (answer) => {
    answer.resume();
    if (answer.statusCode === 401 || answer.statusCode === 429) answered += 1;
  });
  asking.once('error', () => undefined);
  asking.end();
}

setInterval(() => {
  const due = ((performance.now() - started) / 60_000) * perMinute;
  while (sent < due) guess();
}, 1);

// How many were turned away so far.
parentPort?.on('message', () => parentPort?.postMessage(answered));
