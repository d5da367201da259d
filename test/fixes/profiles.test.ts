import { describe, expect, it } from 'vitest';
import { FIXES } from '../../src/fixes/index.ts';
import {
  chooseProfile,
  formatSetting,
  PROFILES,
  profileNames,
  profileSetting,
  profileTable,
} from '../../src/fixes/profiles.ts';

const settings = Object.values(PROFILES).flatMap(({ name, fixes }) =>
  Object.entries(fixes).map(([id, setting]) => ({ name, id, setting })),
);

describe('the profiles', () => {
  it('are those that a configuration may name', () => {
    expect(Object.entries(PROFILES).map(([key, { name }]) => [key, name])).toEqual(
      profileNames.map((name) => [name, name]),
    );
  });

  it('set only fixes, modes and options that exist', () => {
    const wrong = settings.filter(({ id, setting: { mode, ...options } }) => {
      const fix = FIXES.find((one) => one.id === id);
      const known = Object.entries(options).every(([name, word]) => fix?.options?.[name]?.values.includes(word ?? ''));
      return fix === undefined || !known || (mode !== undefined && !['on', 'observe', 'off'].includes(mode));
    });
    expect(wrong).toEqual([]);
  });

  it('leave everything as it is by default', () => {
    expect(PROFILES.default.fixes).toEqual({});
  });

  it('give no manifest other bytes under strict, and turn off nothing else', () => {
    const changing = FIXES.filter(({ digest }) => digest !== 'unchanged').map(({ id }) => id);
    expect(Object.keys(PROFILES.strict.fixes).toSorted()).toEqual(changing.toSorted());
    expect(Object.values(PROFILES.strict.fixes).filter(({ mode }) => mode !== 'off')).toEqual([]);
  });

  it('are listed in a table with the pages of their fixes', () => {
    const table = profileTable('fixes/');
    expect(table).toContain('| `default` | Everyone: each fix in its default mode | nothing |\n');
    expect(table).toContain('[index-without-mediatype](fixes/index-without-mediatype.md): off');
    expect(formatSetting({ mode: 'on', force: 'yes' })).toBe('on, force yes');
    expect(formatSetting({ force: 'yes' })).toBe('force yes');
  });
});

describe('the choice of a profile', () => {
  it('follows the endpoint, then the kind of the registry', () => {
    expect(chooseProfile('strict', 'gitlab')).toEqual({ name: 'strict', by: 'endpoint' });
    expect(chooseProfile(undefined, 'gitlab')).toEqual({ name: 'gitlab', by: 'kind' });
    expect(chooseProfile(undefined, 'generic')).toEqual({ name: 'default', by: 'kind' });
    expect(chooseProfile(undefined, undefined)).toEqual({ name: 'default', by: 'kind' });
  });

  it('sets what the profile says, and nothing for other fixes', () => {
    const strict = chooseProfile('strict', undefined);
    expect(profileSetting(strict, 'index-without-mediatype')).toEqual({ mode: 'off' });
    expect(profileSetting(strict, 'accept-shape')).toEqual({});
  });

  it('lets a profile that only a kind suggests observe', () => {
    for (const { name, id, setting } of settings) {
      const expected = setting.mode === 'on' ? 'observe' : setting.mode;
      expect(profileSetting({ name, by: 'kind' }, id).mode).toBe(expected);
      expect(profileSetting({ name, by: 'endpoint' }, id).mode).toBe(setting.mode);
    }
  });
});
