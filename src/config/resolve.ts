import type { AuthenticationSettings } from '../domain/authentication.ts';
import type { UpstreamCredentials } from '../domain/credentials.ts';
import type { HttpProxy } from '../domain/http-proxy.ts';
import { NO_LIMITS } from '../domain/limits.ts';
import { EVERY_REPOSITORY } from '../domain/repository-policy.ts';
import type { RightsRule } from '../domain/rights.ts';
import type { Fix } from '../fixes/fix.ts';
import { chooseProfile, profileSetting } from '../fixes/profiles.ts';
import { defaultSetting, type FixSetting } from '../fixes/run.ts';
import type { TlsIdentities } from '../lib/certificate.ts';
import type { Config, EndpointConfig, TagSettings, UpstreamKind } from './config.ts';
import type { WrittenConfig, WrittenFixes } from './schema.ts';
import type { WrittenRights } from './schema-rights.ts';

type WrittenEndpoint = WrittenConfig['endpoints'][number];

/** What was read from files and the environment. */
interface FromFiles {
  /** By upstream. */
  readonly credentials: ReadonlyMap<string, UpstreamCredentials>;
  /** By upstream. */
  readonly identities: ReadonlyMap<string, TlsIdentities>;
  /** By upstream. */
  readonly proxies: ReadonlyMap<string, HttpProxy>;
  /** For each written endpoint. */
  readonly authentication: readonly (AuthenticationSettings | undefined)[];
}

/** Makes the complete configuration of a valid file; relations.ts found no mistake in it. */
export function resolveConfig(
  written: WrittenConfig,
  { credentials, identities, authentication, proxies }: FromFiles,
  fixes: readonly Fix[],
): Config {
  const { admin, tls, cache, endpoints, upstreams, fixes: globalFixes, audit, ...rest } = written;
  const { dir, maxSize, scrubRate, ...tagSettings } = cache;
  const listed: readonly WrittenEndpoint[] = endpoints.length > 0 ? endpoints : [ONLY_ENDPOINT];
  const byDefault = defaultOf(listed);
  const onlyUpstream = Object.keys(upstreams)[0] ?? '';
  const resolve = ({ upstream = onlyUpstream, ...endpoint }: WrittenEndpoint) =>
    resolveEndpoint({ ...endpoint, upstream }, upstreams[upstream]?.kind, globalFixes, fixes);
  return {
    ...rest,
    cache: { dir, maxSize, scrubRate, ...resolveTags(tagSettings) },
    tls: resolveTls(tls),
    audit: audit.file === undefined ? undefined : { ...audit, file: audit.file },
    admin: admin.listen === 'off' ? undefined : { listen: admin.listen },
    upstreams: Object.fromEntries(
      Object.entries(upstreams).map(([name, upstream]) => [
        name,
        {
          ...resolveUrls(upstream),
          credentials: credentials.get(name) ?? { kind: 'passthrough' },
          tls: identities.get(name),
          ...onlySet({ keyFile: upstream.tls.key }),
          proxy: proxies.get(name),
        },
      ]),
    ),
    endpoints: listed.map((endpoint, index) => ({
      ...resolve(endpoint),
      ...onlySet({ auth: authentication[index] }),
      cache: resolveTags({ ...tagSettings, ...onlySet(endpoint.cache) }),
      isDefault: endpoint === byDefault,
    })),
  };
}

function resolveTls({ cert, key, clientAuthorities }: WrittenConfig['tls']): Config['tls'] {
  return cert === undefined || key === undefined ? undefined : { cert, key, ...onlySet({ clientAuthorities }) };
}

/** The endpoint without an address, or else the only one that has no more than namespaces. */
function defaultOf(endpoints: readonly WrittenEndpoint[]): WrittenEndpoint | undefined {
  const elsewhere = endpoints.filter(({ host, prefix }) => host === undefined && prefix === undefined);
  return elsewhere.find(({ ns }) => ns.length === 0) ?? (elsewhere.length === 1 ? elsewhere[0] : undefined);
}

const ONLY_ENDPOINT: WrittenEndpoint = {
  name: 'default',
  ns: [],
  repositories: { allow: [EVERY_REPOSITORY], deny: [] },
  rights: [],
  readOnly: false,
  content: { pins: [], deny: [], coolDown: [] },
  cache: {},
  limits: NO_LIMITS,
  fixes: {},
};

function resolveEndpoint(
  {
    host,
    prefix,
    profile: named,
    cache: _,
    auth,
    rights,
    fixes: ownFixes,
    ...rest
  }: WrittenEndpoint & { readonly upstream: string },
  kind: UpstreamKind | undefined,
  globalFixes: WrittenFixes,
  fixes: readonly Fix[],
): Omit<EndpointConfig, 'isDefault' | 'cache' | 'auth'> {
  const profile = chooseProfile(named, kind);
  const settings = fixes.map(
    (fix) =>
      [fix.id, settingOf(fix, [profileSetting(profile, fix.id), globalFixes[fix.id], ownFixes[fix.id]])] as const,
  );
  return {
    ...rest,
    ...(host === undefined ? {} : { host }),
    ...(prefix === undefined ? {} : { prefix }),
    profile,
    rights: rights.map(resolveRule),
    ...(auth && { login: { challenge: auth.challenge, tokenTtl: auth.tokenTtl } }),
    fixes: Object.fromEntries(settings),
  };
}

/** A rule has one of the two; relations.ts saw to it. */
function resolveRule({ who, allow, deny = [], repositories }: WrittenRights[number]): RightsRule {
  return { who, effect: allow === undefined ? 'deny' : 'allow', actions: allow ?? deny, repositories };
}

function resolveUrls({ url, urls = [], credentials: _, tls: _files, ...rest }: WrittenConfig['upstreams'][string]) {
  const [first = '', ...fallbacks] = url === undefined ? urls : [url];
  return { ...rest, url: first, ...(fallbacks.length === 0 ? {} : { fallbacks }) };
}

type WrittenTags = Omit<WrittenConfig['cache'], 'dir' | 'maxSize' | 'scrubRate'>;

function resolveTags({ tags, ...times }: WrittenTags): TagSettings {
  return { ...times, tags: Object.entries(tags).map(([pattern, ttl]) => ({ pattern, ttl })) };
}

/** Without the keys that have no value, which would hide what lies under them. */
function onlySet<Value extends object>(value: Value): { [Key in keyof Value]?: Exclude<Value[Key], undefined> } {
  // What was filtered is what the type says.
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never;
}

/** The default with the layers over it: each may set the mode, some options, both or nothing. */
function settingOf(fix: Fix, layers: readonly WrittenFixes[string][]): FixSetting {
  let setting = defaultSetting(fix);
  for (const { mode, ...options } of layers.filter((layer) => layer !== undefined)) {
    const chosen = Object.entries(options).flatMap(([name, word]) =>
      word === undefined ? [] : [[name, word] as const],
    );
    setting = {
      mode: mode === 'on' || mode === 'observe' || mode === 'off' ? mode : setting.mode,
      options: { ...setting.options, ...Object.fromEntries(chosen) },
    };
  }
  return setting;
}
