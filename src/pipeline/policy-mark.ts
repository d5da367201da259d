import type { PolicyMark } from '../domain/content-policy.ts';
import type { HeaderList } from '../domain/headers.ts';
import type { Answer } from './exchange.ts';
import { warning } from './warning.ts';

/** Says in an answer what the policy on content did to it. */
export function withMark(answer: Answer, policy: PolicyMark, text: string, headers: HeaderList = []): Answer {
  if (answer.status >= 400) return answer;
  const marks: HeaderList = [['Manifix-Policy', policy], ...headers, warning(`manifix: ${text}`)];
  return { ...answer, policy, headers: [...answer.headers, ...marks] };
}

/** A moment as people and programs read it. */
export function moment(time: number): string {
  return new Date(time).toISOString();
}
