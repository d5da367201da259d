import { parseRepositoryName } from './reference.ts';

/** Which repositories of an upstream an endpoint serves. */
export interface RepositoryPolicy {
  /** Whether there is any repository that it does not serve. */
  readonly restricts: boolean;
  allows(repository: string): boolean;
}

declare const patternBrand: unique symbol;

/**
 * A pattern of repository names. `*` stands for any part of one component; `**`, as a component of its own, for any number
 * of components, at the end for at least one.
 */
export type RepositoryPattern = string & { readonly [patternBrand]: true };

/** The pattern that every name matches. */
export const EVERY_REPOSITORY = '**' as RepositoryPattern;

/** The pattern when there are names that it matches, undefined otherwise. */
export function parseRepositoryPattern(text: string): RepositoryPattern | undefined {
  const components = text.split('/');
  if (components.some((component) => component.includes('**') && component !== '**')) return undefined;
  const matched = components.join('/').replaceAll(/\*+/g, 'a');
  return parseRepositoryName(matched) === undefined ? undefined : (text as RepositoryPattern);
}

/** Deny wins over allow. */
export function compilePolicy(
  allow: readonly RepositoryPattern[],
  deny: readonly RepositoryPattern[],
): RepositoryPolicy {
  const allowed = allow.map(expressionOf);
  const denied = deny.map(expressionOf);
  return {
    restricts: denied.length > 0 || !allow.includes(EVERY_REPOSITORY),
    allows: (name) => allowed.some((pattern) => pattern.test(name)) && !denied.some((pattern) => pattern.test(name)),
  };
}

function expressionOf(pattern: RepositoryPattern): RegExp {
  const source = pattern.replaceAll(
    /\/\*\*$|\*\*\/|\*\*|\*|[^*]/g,
    (part) => EXPRESSIONS[part] ?? part.replace('.', '\\.'),
  );
  return new RegExp(`^${source}$`);
}

const EXPRESSIONS: Readonly<Record<string, string>> = {
  '/**': '/.+',
  '**/': '(?:[^/]+/)*',
  '**': '.+',
  '*': '[^/]*',
};
