import { Agent, request } from 'node:http';
import type { HeaderList } from '../../src/domain/headers.ts';

/** Asks the same question again and again on one connection. */
export interface Questioner {
  /** Milliseconds until the whole answer was there. @throws when its status is not 200 */
  ask(): Promise<number>;
  close(): void;
}

export function createQuestioner(method: 'GET' | 'HEAD', url: string, headers: HeaderList): Questioner {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const options = { method, agent, headers: Object.fromEntries(headers) };
  return {
    ask: () =>
      new Promise((resolve, reject) => {
        const started = performance.now();
        const asking = request(url, options, (answer) => {
          answer.resume();
          answer.once('end', () => {
            if (answer.statusCode === 200) resolve(performance.now() - started);
            else reject(new Error(`${method} ${url} was answered ${answer.statusCode}`));
          });
        });
        asking.once('error', reject);
        asking.end();
      }),
    close: () => agent.destroy(),
  };
}
