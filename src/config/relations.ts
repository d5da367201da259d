import { parseTagPattern } from '../domain/tag-policy.ts';
import { nearest } from '../lib/nearest.ts';
import { authenticationMistakes } from './auth-relations.ts';
import { certificateMistakes } from './certificate.ts';
import { claimMistakes } from './claims.ts';
import { limitMistakes } from './limit-relations.ts';
import type { Mistake } from './mistakes.ts';
import { nameMistake } from './names.ts';
import { rightsMistakes } from './rights-relations.ts';
import type { Path } from './schema-keys.ts';
import { isMap, valueAt, type WrittenMap } from './written.ts';

/**
 * What one key must agree on with another. Works on what was written, valid or not, so that these mistakes are told
 * together with those of single keys.
 */
export function relationMistakes(written: WrittenMap): readonly Mistake[] {
  const upstreams = valueAt(written, ['upstreams']);
  const names = isMap(upstreams) ? Object.keys(upstreams) : [];
  const list = valueAt(written, ['endpoints']);
  const endpoints = Array.isArray(list) ? list.map((entry) => (isMap(entry) ? entry : {})) : [];
  return [
    ...(upstreams === undefined || (isMap(upstreams) && names.length === 0) ? [noUpstream()] : []),
    ...names.flatMap((name) => urlMistakes(valueAt(upstreams, [name]), ['upstreams', name])),
    ...names.flatMap((name) => badName(name, ['upstreams', name])),
    ...(names.length > 1 && endpoints.length === 0 ? [noEndpoint(names)] : []),
    ...endpoints.flatMap((entry, index) => endpointMistakes(entry, index, names)),
    ...claimMistakes(endpoints),
    ...authenticationMistakes(written, endpoints),
    ...rightsMistakes(written, endpoints),
    ...limitMistakes(endpoints),
    ...sameAddress(written),
    ...badTagPatterns(written, ['cache', 'tags']),
    ...endpoints.flatMap((_, index) => badTagPatterns(written, ['endpoints', index, 'cache', 'tags'])),
    ...endpoints.flatMap((_, index) => denialsOfAll(written, ['endpoints', index, 'content', 'deny'])),
    ...certificateMistakes(written),
  ];
}

function badTagPatterns(written: WrittenMap, path: Path): readonly Mistake[] {
  const tags = valueAt(written, path);
  const patterns = isMap(tags) ? Object.keys(tags) : [];
  return patterns
    .filter((pattern) => parseTagPattern(pattern) === undefined)
    .map((pattern) => ({
      path: [...path, pattern],
      message: 'a tag is made of letters, digits, ".", "_" and "-"; "*" stands for any of them',
    }));
}

/** Who writes a message only has forgotten what it is about. */
function denialsOfAll(written: WrittenMap, path: Path): readonly Mistake[] {
  const rules = valueAt(written, path);
  if (!Array.isArray(rules)) return [];
  return rules.flatMap((rule, index) => {
    const isVague = isMap(rule) && !['repositories', 'tags', 'digests'].some((key) => rule[key] !== undefined);
    return isVague ? [{ path: [...path, index], message: 'name what is denied: repositories, tags or digests' }] : [];
  });
}

function noUpstream(): Mistake {
  return {
    path: ['upstreams'],
    message: 'required: at least one registry, such as "hub: { url: https://registry.example.com }"',
  };
}

function urlMistakes(upstream: unknown, path: Path): readonly Mistake[] {
  if (upstream !== undefined && !isMap(upstream)) return [];
  const { url, urls } = upstream ?? {};
  if (url !== undefined && urls !== undefined) return [{ path: [...path, 'urls'], message: 'set either url or urls' }];
  if (Array.isArray(urls) && urls.length === 0) return [{ path: [...path, 'urls'], message: 'name at least one URL' }];
  if (url !== undefined || urls !== undefined) return [];
  const message = 'required: the URL of the registry, such as https://registry.example.com';
  return [{ path: [...path, 'url'], message }];
}

function noEndpoint(names: readonly string[]): Mistake {
  return { path: ['endpoints'], message: `required, because there are several upstreams: ${names.join(', ')}` };
}

function badName(name: string, path: Path): readonly Mistake[] {
  const message = nameMistake(name);
  return message === undefined ? [] : [{ path, message }];
}

function endpointMistakes(entry: WrittenMap, index: number, upstreams: readonly string[]): readonly Mistake[] {
  const { name, upstream } = entry;
  const path = ['endpoints', index, 'upstream'];
  const mistakes: Mistake[] = [];
  if (typeof name === 'string' && name !== '') mistakes.push(...badName(name, ['endpoints', index, 'name']));
  if (upstream === undefined && upstreams.length > 1) {
    mistakes.push({ path, message: `required: one of ${upstreams.join(', ')}` });
  }
  if (typeof upstream === 'string' && upstream !== '' && upstreams.length > 0 && !upstreams.includes(upstream)) {
    const meant = nearest(upstream, upstreams);
    const help = meant === undefined ? `; there is ${upstreams.join(', ')}` : `; did you mean "${meant}"?`;
    mistakes.push({ path, message: `unknown upstream "${upstream}"${help}` });
  }
  return mistakes;
}

function sameAddress(written: WrittenMap): readonly Mistake[] {
  const listen = valueAt(written, ['listen']);
  const same = typeof listen === 'string' && listen === valueAt(written, ['admin', 'listen']) && !listen.endsWith(':0');
  return same ? [{ path: ['admin', 'listen'], message: `"${listen}" is the address of listen already` }] : [];
}
