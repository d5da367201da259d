import type { Fix } from '../fixes/fix.ts';
import { PROFILES } from '../fixes/profiles.ts';
import type { Mistake } from './mistakes.ts';
import type { Path } from './schema-keys.ts';
import { isMap, valueAt, type WrittenMap } from './written.ts';

/**
 * Settings of fixes that contradict each other or the endpoint they are for. Looked up as they count: endpoint, global,
 * profile, the fix's own default.
 */
export function fixConflicts(written: WrittenMap, fixes: readonly Fix[]): readonly Mistake[] {
  const list = valueAt(written, ['endpoints']);
  const endpoints = Array.isArray(list) ? list : [];
  return [
    ...fixes.flatMap((fix) => optionsWhileOff(written, ['fixes', fix.id], fix)),
    ...endpoints.flatMap((endpoint, index) =>
      isMap(endpoint) ? fixes.flatMap((fix) => endpointConflicts(written, endpoint, index, fix)) : [],
    ),
  ];
}

function endpointConflicts(
  written: WrittenMap,
  { profile, readOnly }: WrittenMap,
  index: number,
  fix: Fix,
): readonly Mistake[] {
  const path: Path = ['endpoints', index, 'fixes', fix.id];
  const ownMode = modeIn(valueAt(written, path));
  const globalMode = modeIn(valueAt(written, ['fixes', fix.id]));
  const isKept = profile === 'strict' && PROFILES.strict.fixes[fix.id]?.mode === 'off' && fix.digest !== 'unchanged';
  return [
    ...optionsWhileOff(written, path, fix),
    ...(isKept && ownMode === 'on'
      ? [{ path, message: 'gives manifests other bytes, which profile: strict rules out; leave one of the two out' }]
      : []),
    // The global entry counts before the profile, which would then promise what does not hold.
    ...(isKept && ownMode === undefined && globalMode === 'on'
      ? [
          {
            path: ['endpoints', index, 'profile'],
            message: `strict rules out fixes.${fix.id}: on, which counts before it; set fixes: { ${fix.id}: off } for this endpoint`,
          },
        ]
      : []),
    ...(readOnly === true && fix.digest === 'on push' && ownMode === 'on'
      ? [{ path, message: 'changes what is pushed, and readOnly lets nobody push; leave one of the two out' }]
      : []),
  ];
}

/** A fix that is off does nothing, whatever its options say. */
function optionsWhileOff(written: WrittenMap, path: Path, { options = {} }: Fix): readonly Mistake[] {
  const setting = valueAt(written, path);
  if (!isMap(setting) || modeIn(setting) !== 'off') return [];
  return Object.keys(setting)
    .filter((name) => name in options)
    .map((name) => ({
      path: [...path, name],
      message: 'has no effect, because mode is off; leave it out, or set mode: on or observe',
    }));
}

/** YAML readers differ about `on` and `off`: some make booleans of them. */
function modeIn(setting: unknown): unknown {
  const mode = isMap(setting) ? setting.mode : setting;
  return mode === true ? 'on' : mode === false ? 'off' : mode;
}
