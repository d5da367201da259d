import { formatHostPort } from '../lib/address.ts';
import { formatDuration, formatSize } from '../lib/units.ts';
import type { Config, EndpointConfig } from './config.ts';

/** A few lines that tell an operator what a valid configuration will do. */
export function summarize(config: Config): string {
  const { listen, admin, cache, endpoints } = config;
  const lines = [
    `listen  ${formatHostPort(listen)}, admin ${admin === undefined ? 'off' : formatHostPort(admin.listen)}`,
    `cache   ${cache.dir}, up to ${formatSize(cache.maxSize)}, tags asked for again after ${formatDuration(cache.tagTtl)}`,
    ...endpoints.map((endpoint) => summarizeEndpoint(endpoint, config)),
  ];
  return lines.map((line) => `  ${line}`).join('\n');
}

function summarizeEndpoint({ name, host, upstream, fixes }: EndpointConfig, config: Config): string {
  const { url = '', kind = '' } = config.upstreams[upstream] ?? {};
  const modes = Object.values(fixes).map((setting) => setting.mode);
  const counts = (['on', 'observe', 'off'] as const).map(
    (mode) => `${modes.filter((one) => one === mode).length} ${mode}`,
  );
  const hosts = host === undefined ? 'any other host' : `host ${host}`;
  return `endpoint ${name}: ${hosts} -> ${upstream} (${url}, ${kind}), fixes: ${counts.join(', ')}`;
}
