import { ACTIONS, type Action } from '../domain/principal.ts';
import { parseRepositoryName, type RepositoryName } from '../domain/reference.ts';
import { didYouMean } from '../lib/nearest.ts';
import type { FlagValues } from './flags.ts';

/** Whether somebody may do something: `manifix check --can bob push team-a/app`. */
export interface CanRequest {
  /** Undefined for a client without credentials. */
  readonly user?: string;
  readonly action: Action;
  /** As clients call it. */
  readonly repository: RepositoryName;
  /** As clients send it; empty where it does not matter. */
  readonly host: string;
  readonly groups: readonly string[];
  /** Values by `<entry>:<claim>`. */
  readonly claims: Readonly<Record<string, string>>;
}

/** Reads what stands behind `--can` and the flags that go with it. */
export function readCanRequest(
  values: FlagValues,
  positionals: readonly string[],
): { readonly request: CanRequest | undefined } | { readonly mistake: string } {
  const user = values.get('can');
  if (user === undefined) {
    const [odd] = positionals;
    return odd === undefined ? { request: undefined } : { mistake: `unexpected argument "${odd}"` };
  }
  const [action = '', name = ''] = positionals;
  if (name === '') return { mistake: '--can needs a user, an action and a repository' };
  const known = ACTIONS.find((one) => one === action);
  if (known === undefined) return { mistake: `unknown action "${action}"${didYouMean(action, ACTIONS)}` };
  const repository = parseRepositoryName(name);
  if (repository === undefined) return { mistake: `"${name}" is not a repository name` };
  const claims = listOf(values.get('claim')).map((text) => /^([^:=]+:[^=]+)=(.*)$/s.exec(text));
  if (claims.includes(null)) return { mistake: '--claim looks like ci:ref=refs/heads/main' };
  return {
    request: {
      ...(user === 'everybody' ? {} : { user }),
      action: known,
      repository,
      host: values.get('host') ?? '',
      groups: listOf(values.get('group')),
      claims: Object.fromEntries(claims.map((match) => [match?.[1] ?? '', match?.[2] ?? ''])),
    },
  };
}

function listOf(joined: string | undefined): readonly string[] {
  return joined === undefined ? [] : joined.split(',');
}
