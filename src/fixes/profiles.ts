import type { FixMode } from './fix.ts';

export const profileNames = ['default', 'strict', 'legacy', 'gitlab'] as const;
/** What an endpoint calls a set of fix settings. */
export type ProfileName = (typeof profileNames)[number];

/** As in the configuration: a mode, options by name, or both; what is left out is the fix's default. */
export type ProfileSetting = { readonly mode?: FixMode } & { readonly [option: string]: string | undefined };

/** A named set of settings. Fixes that it does not name keep their defaults. */
export interface Profile {
  readonly name: ProfileName;
  /** Whom it is for, in one line, for tables. */
  readonly purpose: string;
  readonly fixes: Readonly<Record<string, ProfileSetting>>;
}

/** The settings of a fix are looked up in this order: endpoint, global, profile, the fix's own default. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  default: { name: 'default', purpose: 'Everyone: each fix in its default mode', fixes: {} },
  strict: {
    name: 'strict',
    purpose: 'Endpoints whose digests are used elsewhere: header fields are repaired, no manifest gets other bytes',
    fixes: {
      'index-without-mediatype': { mode: 'off' },
      'manifest-without-mediatype': { mode: 'off' },
      'fallback-tag-index-without-mediatype': { mode: 'off' },
      'push-index-without-mediatype': { mode: 'off' },
      'newline-and-encoding-damage': { mode: 'off' },
      'schema1-only-image': { mode: 'off' },
      'oci-vs-docker-relabel': { mode: 'off' },
    },
  },
  legacy: {
    name: 'legacy',
    purpose: 'Old engines and hand-made clients',
    fixes: {
      'list-for-image-only-client': { mode: 'on' },
      'mirror-without-credentials': { mode: 'on' },
      'tags-list-shape': { aggregate: 'yes' },
      'catalog-n-too-large': { aggregate: 'yes' },
    },
  },
  gitlab: {
    name: 'gitlab',
    purpose: 'Registries of GitLab, which refuse to serve an index without its mediaType',
    fixes: {
      'push-index-without-mediatype': { mode: 'on' },
    },
  },
};

/** The profile that suits a kind of registry; others have none of their own. */
const PROFILE_OF_KIND: Readonly<Record<string, ProfileName>> = { gitlab: 'gitlab' };

/** How an endpoint came to its profile. */
export interface ChosenProfile {
  readonly name: ProfileName;
  /** `kind` when the endpoint names none and the kind of its registry suggests one. */
  readonly by: 'endpoint' | 'kind';
}

/** The profile that the endpoint names, or else the one that its registry's kind suggests. */
export function chooseProfile(named: ProfileName | undefined, kind: string | undefined): ChosenProfile {
  if (named !== undefined) return { name: named, by: 'endpoint' };
  return { name: PROFILE_OF_KIND[kind ?? ''] ?? 'default', by: 'kind' };
}

/**
 * What the profile says of a fix. One that is merely suggested by a kind observes what it would repair: what works with such a
 * registry today goes on with the same bytes until an operator names the profile.
 */
export function profileSetting({ name, by }: ChosenProfile, fix: string): ProfileSetting {
  const setting = PROFILES[name].fixes[fix] ?? {};
  return by === 'kind' && setting.mode === 'on' ? { ...setting, mode: 'observe' } : setting;
}

/** The Markdown table of what each profile sets; `pages` leads to the pages of the fixes. Ends with a newline. */
export function profileTable(pages: string): string {
  const rows = Object.values(PROFILES).map(({ name, purpose, fixes }) => {
    const settings = Object.entries(fixes).map(
      ([id, setting]) => `[${id}](${pages}${id}.md): ${formatSetting(setting)}`,
    );
    return `| \`${name}\` | ${purpose} | ${settings.length === 0 ? 'nothing' : settings.join('<br>')} |\n`;
  });
  return ['| Profile | For | Sets |\n', '| --- | --- | --- |\n', ...rows].join('');
}

/** `on, tags all`: the mode, then the options. */
export function formatSetting({ mode, ...options }: ProfileSetting): string {
  const words = Object.entries(options).map(([name, word]) => `${name} ${word}`);
  return [...(mode === undefined ? [] : [mode]), ...words].join(', ');
}
