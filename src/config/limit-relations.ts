import type { Mistake } from './mistakes.ts';
import { isMap, valueAt, type WrittenMap } from './written.ts';

/** Limits that limit nothing. */
export function limitMistakes(endpoints: readonly WrittenMap[]): readonly Mistake[] {
  return endpoints.flatMap((endpoint, index) =>
    [['limits'], ['limits', 'perUser']].flatMap((path) => {
      const limits = valueAt(endpoint, path);
      if (!isMap(limits) || limits.burst === undefined || limits.requests !== undefined) return [];
      return [{ path: ['endpoints', index, ...path, 'burst'], message: 'limits nothing without requests beside it' }];
    }),
  );
}
