import type { CanRequest } from '../config/can-request.ts';
import type { Config } from '../config/config.ts';
import { RegistryError } from '../domain/errors.ts';
import type { Principal } from '../domain/principal.ts';
import { upstreamName } from '../domain/repository-names.ts';
import { compilePolicy } from '../domain/repository-policy.ts';
import { compileRights, type RightsRule } from '../domain/rights.ts';
import { formatWho } from '../domain/who.ts';
import { openEndpoints } from '../generation.ts';
import type { CommandOutcome } from './outcome.ts';

/** What a rule or the lack of one says, and where it is written. */
interface Answer {
  readonly allowed: boolean;
  readonly because: string;
}

/** Answers whether somebody may do something, and which rule decides: exit code 0 for yes, 1 for no. */
export async function runCanCommand(config: Config, request: CanRequest): Promise<CommandOutcome> {
  const { endpoints, upstreams } = openEndpoints(config);
  try {
    const { repository, host } = request;
    const { endpoint, prefix } = endpoints.reach(host.toLowerCase(), { kind: 'tags', repository });
    const name = upstreamName({ prefix, library: endpoint.libraryPrefix === 'on' }, repository);
    const { allowed, because } =
      name === undefined
        ? { allowed: false, because: `"${repository}" is no name that the registry takes` }
        : decide(config, endpoint.name, request, name);
    return { exitCode: allowed ? 0 : 1, text: `${allowed ? 'yes' : 'no'}: ${because}` };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    const where = request.host === '' ? ' Without --host, no host is compared.' : '';
    return { exitCode: 1, text: `no: ${error.explanation ?? error.message}${where}` };
  } finally {
    await Promise.all(upstreams.map((upstream) => upstream.close()));
  }
}

function decide(
  config: Config,
  name: string,
  { user, action, groups, claims }: CanRequest,
  repository: string,
): Answer {
  const at = config.endpoints.findIndex((one) => one.name === name);
  const endpoint = config.endpoints[at];
  if (endpoint === undefined) throw new Error(`there is no endpoint ${name}`);
  const path = `endpoints[${at}]`;
  const { repositories, rights, readOnly, auth } = endpoint;
  if (!compilePolicy(repositories.allow, repositories.deny).allows(repository))
    return { allowed: false, because: `${path}.repositories does not serve ${repository}` };
  if (readOnly && (action === 'push' || action === 'delete'))
    return { allowed: false, because: `${path}.readOnly takes no ${action}` };
  if (auth === undefined) return { allowed: true, because: `${path} has no auth: its registry alone decides` };
  const principal: Principal = { method: 'htpasswd', groups, claims, ...(user === undefined ? {} : { user }) };
  const { allowed, rule } = compileRights(rights, config.groups).decide(principal, action, repository);
  return {
    allowed,
    because:
      rule === undefined ? `no rule of ${path}.rights matches` : ruleText(rights[rule], `${path}.rights[${rule}]`),
  };
}

function ruleText(rule: RightsRule | undefined, path: string): string {
  if (rule === undefined) return path;
  const list = (items: readonly string[]) => `[${items.join(', ')}]`;
  const { who, effect, actions, repositories } = rule;
  return `${path} { who: ${list(who.map(formatWho))}, ${effect}: ${list(actions)}, repositories: ${list(repositories)} }`;
}
