import { findIdleRules, type IdleRule } from '../domain/rights-check.ts';
import type { Config, EndpointConfig } from './config.ts';
import { exposureOf } from './secret-file.ts';

/** What a valid configuration says that can hardly be meant, as lines `path: message`. */
export function warningsOf(config: Config): readonly string[] {
  return [...rightsWarnings(config), ...fileWarnings(config)];
}

/** Passwords in files that everybody can read are refused. Hashes and keys are often laid out like that, as by htpasswd. */
function fileWarnings({ tls, upstreams, endpoints }: Config): readonly string[] {
  const files = [
    ['tls.key', tls?.key] as const,
    ...Object.entries(upstreams).map(([name, { keyFile }]) => [`upstreams.${name}.tls.key`, keyFile] as const),
    ...endpoints.map(({ auth }, index) => [`endpoints[${index}].auth.htpasswd`, auth?.htpasswd?.path] as const),
  ];
  return files.flatMap(([path, file]) => {
    const exposed = file === undefined ? undefined : exposureOf(file);
    return exposed === undefined ? [] : [`${path}: ${exposed}`];
  });
}

function rightsWarnings({ endpoints, groups }: Config): readonly string[] {
  return endpoints.flatMap((endpoint, index) => {
    const path = `endpoints[${index}].rights`;
    if (endpoint.auth === undefined) return [];
    if (endpoint.rights.length === 0) return [`${path}: there is no rule, so that nobody may do anything here`];
    const idle = findIdleRules(endpoint.rights, groups, endpoint.repositories);
    return idle.map((rule) => `${path}[${rule.rule}]: ${reasonOf(rule, endpoint, path)}`);
  });
}

function reasonOf({ behind }: IdleRule, { name }: EndpointConfig, path: string): string {
  if (behind.length === 0) return `can never decide: the endpoint "${name}" serves none of its repositories`;
  const deciders = behind.map((rule) => `${path}[${rule}]`).join(', ');
  return `can never decide: ${deciders} ${behind.length === 1 ? 'decides' : 'decide'} before it`;
}
