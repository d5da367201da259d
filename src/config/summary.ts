import { describeAccount } from '../domain/credentials.ts';
import { type EndpointLimits, formatRequestRate } from '../domain/limits.ts';
import { EVERY_REPOSITORY } from '../domain/repository-policy.ts';
import type { Fix } from '../fixes/fix.ts';
import { formatSetting, PROFILES } from '../fixes/profiles.ts';
import { defaultSetting, type FixSetting } from '../fixes/run.ts';
import { formatHostPort } from '../lib/address.ts';
import { formatDuration, formatSize } from '../lib/units.ts';
import type { Config, EndpointConfig } from './config.ts';

/** A few lines that tell an operator what a valid configuration will do. */
export function summarize(config: Config, catalogue: readonly Fix[]): string {
  const { listen, tls, admin, cache, audit, usage, endpoints } = config;
  const lines = [
    `listen  ${formatHostPort(listen)}${tls === undefined ? '' : ' with TLS'}, admin ${admin === undefined ? 'off' : formatHostPort(admin.listen)}`,
    `cache   ${cache.dir}, up to ${formatSize(cache.maxSize)}, tags asked for again after ${formatDuration(cache.tagTtl)}`,
    ...(audit === undefined
      ? []
      : [`audit   ${audit.file}, renamed beyond ${formatSize(audit.maxSize)}, ${audit.keep} of those kept`]),
    `usage   kept for ${formatDuration(usage.keep)}`,
    ...endpoints.flatMap((endpoint) => summarizeEndpoint(endpoint, config, catalogue)),
  ];
  return lines.map((line) => `  ${line}`).join('\n');
}

function summarizeEndpoint(endpoint: EndpointConfig, config: Config, catalogue: readonly Fix[]): readonly string[] {
  const { name, upstream, profile, fixes } = endpoint;
  const {
    url = '',
    kind = '',
    credentials = { kind: 'passthrough' as const },
    proxy,
  } = config.upstreams[upstream] ?? {};
  const way = proxy && `through ${proxy.origin}`;
  const registry = [url, kind, describeAccount(credentials), way].filter((part) => part !== undefined).join(', ');
  const modes = Object.values(fixes).map((setting) => setting.mode);
  const counts = (['on', 'observe', 'off'] as const).map(
    (mode) => `${modes.filter((one) => one === mode).length} ${mode}`,
  );
  const suggested = profile.by === 'kind' && profile.name !== 'default' ? `, suggested by kind ${kind}` : '';
  return [
    `endpoint ${name}: ${waysTo(endpoint)} -> ${upstream} (${registry}), ${rulesOf(endpoint)}fixes: ${counts.join(', ')}`,
    `  profile ${profile.name}${suggested}: ${PROFILES[profile.name].purpose}`,
    ...clientsOf(endpoint),
    ...limitsOf(endpoint.limits),
    ...catalogue.flatMap((fix) => {
      const setting = fixes[fix.id];
      const changed = setting && describeChange(setting, defaultSetting(fix));
      return changed === undefined ? [] : [`  ${fix.id}: ${changed}`];
    }),
  ];
}

/** What differs from the fix's own default; undefined when nothing does. */
function describeChange(setting: FixSetting, usual: FixSetting): string | undefined {
  const options = Object.entries(setting.options).filter(([name, word]) => usual.options[name] !== word);
  if (setting.mode === usual.mode && options.length === 0) return undefined;
  return formatSetting({ ...Object.fromEntries(options), mode: setting.mode });
}

/** How its clients show who they are, and how many rules say what they may. */
function clientsOf({ auth, rights }: EndpointConfig): readonly string[] {
  if (auth === undefined) return [];
  const ways = [
    ...(auth.htpasswd === undefined ? [] : [`passwords of ${auth.htpasswd.path}`]),
    ...(auth.tokens ? ['tokens'] : []),
    ...auth.oidc.map(({ name, issuer }) => `OpenID tokens of ${issuer} as ${name}`),
    ...(auth.certificates ? ['certificates'] : []),
  ];
  const [rules = 'no rules: nobody may do anything'] = counted(rights.length, 'rule');
  return [`  clients: ${ways.join(', ') || 'nobody'}; ${rules}`];
}

/** What its clients may use. */
function limitsOf({ perUser, ...limits }: EndpointLimits): readonly string[] {
  const all = describeLimits(limits);
  const each = describeLimits(perUser);
  const parts = [...all, ...(each.length === 0 ? [] : [`for each user ${each.join(', ')}`])];
  return parts.length === 0 ? [] : [`  limits: ${parts.join(', ')}`];
}

function describeLimits({
  quota,
  requests,
  burst,
  bandwidth,
  fills,
  upload,
}: Omit<EndpointLimits, 'perUser'>): readonly string[] {
  return [
    ...(quota === undefined ? [] : [`quota ${formatSize(quota)}`]),
    ...(requests === undefined ? [] : [`requests ${formatRequestRate(requests)}`]),
    ...(burst === undefined ? [] : [`burst ${burst}`]),
    ...(bandwidth === undefined ? [] : [`bandwidth ${formatSize(bandwidth)}/s`]),
    ...(fills === undefined ? [] : [`fills ${fills}`]),
    ...(upload === undefined ? [] : [`upload ${formatSize(upload)}`]),
  ];
}

/** What it keeps from its clients. */
function rulesOf({ repositories: { allow, deny }, readOnly, content }: EndpointConfig): string {
  const rules = [
    ...(allow.includes(EVERY_REPOSITORY) ? [] : [`only ${allow.join(' ') || 'nothing'}`]),
    ...(deny.length === 0 ? [] : [`not ${deny.join(' ')}`]),
    ...(readOnly ? ['read-only'] : []),
    ...counted(content.pins.length, 'pin'),
    ...counted(content.deny.length, 'denial'),
    ...counted(content.coolDown.length, 'cool-down'),
  ];
  return rules.map((rule) => `${rule}, `).join('');
}

function counted(number: number, what: string): readonly string[] {
  return number === 0 ? [] : [`${number} ${what}${number === 1 ? '' : 's'}`];
}

function waysTo({ host, prefix, ns, isDefault }: EndpointConfig): string {
  const ways = [
    ...(host === undefined ? [] : [`host ${host}`]),
    ...(prefix === undefined ? [] : [`prefix ${prefix}/`]),
    ...(ns.length === 0 ? [] : [`ns ${ns.join(' ')}`]),
    ...(isDefault ? ['all other requests'] : []),
  ];
  return ways.join(', ');
}
