import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/domain/headers.ts';
import { apiVersionHeader } from '../../src/fixes/api-version-header.ts';
import { manifestView, requestView, responseView } from '../support/views.ts';

const base = requestView({ route: { kind: 'base' } });
const added: HeaderList = [['Docker-Distribution-Api-Version', 'registry/2.0']];

describe('api-version-header', () => {
  it.each([200, 401, 404, 500])('adds the header to an answer with status %i', (status) => {
    expect(apiVersionHeader.response?.(responseView({ request: base, status }), {})).toEqual({
      note: 'added Docker-Distribution-Api-Version',
      headers: added,
    });
  });

  it('adds the header to manifests', () => {
    expect(apiVersionHeader.manifest?.(manifestView(), {})?.headers).toEqual(added);
  });

  it('promises no extension for signatures, which would be asked for where manifix is no registry', () => {
    const promise = ['X-Registry-Supports-Signatures', '1'] as const;
    for (const headers of [[promise], [promise, ...added]]) {
      expect(apiVersionHeader.response?.(responseView({ request: base, headers }), {})).toEqual({
        note: 'removed X-Registry-Supports-Signatures',
        headers: added,
      });
    }
  });

  it('leaves a header alone that is there', () => {
    const headers: HeaderList = [['docker-distribution-api-version', 'registry/2.0']];
    expect(apiVersionHeader.manifest?.(manifestView({ headers }), {})).toBeUndefined();
    expect(apiVersionHeader.response?.(responseView({ headers }), {})).toBeUndefined();
  });
});
