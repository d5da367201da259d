import { z } from 'zod';
import type { Fix } from '../fixes/fix.ts';
import { FIXES_TYPE } from './schema-keys.ts';

const fixModes = ['on', 'observe', 'off'] as const;

/** The settings of fixes, by id, as they are written for all endpoints or for one. */
export function fixSettings(fixes: readonly Fix[]) {
  const settings = fixes.map((fix) => [fix.id, fixSetting(fix).optional()] as const);
  return z.strictObject(Object.fromEntries(settings)).meta({ type: FIXES_TYPE }).prefault({});
}

/** `on`, or `{ mode: on, <option>: <word> }`; what is left out is inherited. */
function fixSetting(fix: Fix) {
  const options = Object.entries(fix.options ?? {}).map(([name, option]) => [name, word(option.values)] as const);
  const words: Record<string, ReturnType<typeof word>> = { mode: word(fixModes), ...Object.fromEntries(options) };
  return z.preprocess((written) => (typeof written === 'object' ? written : { mode: written }), z.strictObject(words));
}

/** One word of a list. YAML readers differ about `on`, `off`, `yes` and `no`: a boolean stands for the words it may come from. */
function word(values: readonly string[]) {
  return z
    .preprocess((written) => {
      if (typeof written !== 'boolean') return written;
      const words = written ? ['on', 'yes', 'true'] : ['off', 'no', 'false'];
      return words.find((candidate) => values.includes(candidate)) ?? written;
    }, z.enum(values))
    .optional();
}
