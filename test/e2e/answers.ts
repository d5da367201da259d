import { eventually } from '../support/deadline.ts';
import type { HttpAnswer } from '../support/http.ts';

/** What clients read of an answer to a pull. */
export function essence(answer: HttpAnswer) {
  return {
    status: answer.status,
    type: answer.header('Content-Type'),
    length: answer.header('Content-Length'),
    digest: answer.header('Docker-Content-Digest'),
    body: answer.body.toString('base64'),
  };
}

/** The same with the validator, which not every registry sends. */
export function essenceWithTag(answer: HttpAnswer) {
  return { ...essence(answer), entityTag: answer.header('ETag') };
}

/** The ids in `Manifix-Fixes`. */
export function fixesOf(answer: HttpAnswer): string[] {
  return answer.header('Manifix-Fixes')?.split(', ') ?? [];
}

/** Asks until the cache answers: a blob is in its place a moment after its last byte was served. */
export function fromCache(ask: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
  return eventually('the answer comes from the cache', async () => {
    const answer = await ask();
    return answer.header('Cache-Status') === 'manifix; hit' ? answer : undefined;
  });
}
