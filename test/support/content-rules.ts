import type { CoolDownRule, DenyRule, PinRule } from '../../src/domain/content-policy.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { parseRepositoryPattern, type RepositoryPattern } from '../../src/domain/repository-policy.ts';
import { parseTagPattern, type TagPattern } from '../../src/domain/tag-policy.ts';

/** A pattern from a literal. @throws when it is outside the grammar */
export function repositoriesNamed(text: string): RepositoryPattern {
  return parsed(text, parseRepositoryPattern(text));
}

/** A pattern from a literal. @throws when it is outside the grammar */
export function tagsNamed(text: string): TagPattern {
  return parsed(text, parseTagPattern(text));
}

/** Rules about `team/app` with the parts that a test is about. */
export function pinOf(digest: Digest, tag = 'latest'): PinRule {
  return { repository: repositoriesNamed('team/app'), tag: tagsNamed(tag), digest };
}

export function denial(of: { readonly tags?: readonly string[]; readonly digests?: readonly Digest[] } = {}): DenyRule {
  const { tags = [], digests = [] } = of;
  const message = 'withdrawn; ask the platform team';
  return { repositories: [repositoriesNamed('team/*')], tags: tags.map(tagsNamed), digests, message };
}

export function coolDown(age: number, unknown: CoolDownRule['unknown'] = 'serve'): CoolDownRule {
  return { repositories: [repositoriesNamed('team/**')], tags: [tagsNamed('latest')], age, unknown };
}

function parsed<Value>(text: string, value: Value | undefined): Value {
  if (value === undefined) throw new Error(`"${text}" is no pattern`);
  return value;
}
