import { describe, expect, it } from 'vitest';
import { errorsForClient } from '../../src/domain/error-names.ts';
import type { OciError } from '../../src/domain/errors.ts';
import type { RepositoryName } from '../../src/domain/reference.ts';

/** The error as a client sees it that asked for `client`, which is `upstream` to the registry. */
function seen(error: OciError, client: string, upstream: string): OciError | undefined {
  const asked = { client: client as RepositoryName, upstream: upstream as RepositoryName };
  return errorsForClient([error], { prefix: '', library: false, asked })[0];
}

describe('an error', () => {
  it("has the client's name in its details, wherever the registry's stood", () => {
    const detail = { name: 'app', nested: [{ Name: 'app', Action: 'pull' }], Tag: 'latest', size: 3, none: null };
    expect(seen({ code: 'NAME_UNKNOWN', detail }, 'team/app', 'app')).toEqual({
      code: 'NAME_UNKNOWN',
      detail: { ...detail, name: 'team/app', nested: [{ Name: 'team/app', Action: 'pull' }] },
    });
  });

  it.each([
    ["repository 'app' not found", "repository 'team/app' not found"],
    ['no "app" here', 'no "team/app" here'],
    ['failed: /v2/app/manifests/1', 'failed: /v2/team/app/manifests/1'],
    ['app unknown to registry', 'app unknown to registry'],
    ['an application', 'an application'],
  ])('that says %j in a name of one component says %j', (message, expected) => {
    expect(seen({ code: 'X', message }, 'team/app', 'app')?.message).toBe(expected);
  });

  it.each([
    ['repository library/alpine not found.', 'repository alpine not found.'],
    ['library/alpine/x, xlibrary/alpine, library/alpine.y, library/alpines', undefined],
    ['see /v2/library/alpine/tags/list', 'see /v2/alpine/tags/list'],
    ['libraryxalpine', undefined],
  ])('that says %j in a name with a slash says %j', (message, expected) => {
    expect(seen({ code: 'X', message, detail: message }, 'alpine', 'library/alpine')).toEqual({
      code: 'X',
      message: expected ?? message,
      detail: expected ?? message,
    });
  });

  it('takes the dot of a name for a dot', () => {
    expect(seen({ code: 'X', message: '"a.b" and "axb"' }, 'c', 'a.b')?.message).toBe('"c" and "axb"');
  });

  it('stays as it is where the names are the same, or no repository was asked for', () => {
    const errors: readonly OciError[] = [{ code: 'X', message: 'team/app' }];
    const name = 'team/app' as RepositoryName;
    expect(errorsForClient(errors, { prefix: '', library: false, asked: { client: name, upstream: name } })).toBe(
      errors,
    );
    expect(errorsForClient(errors, { prefix: 'x/', library: false })).toBe(errors);
  });
});
