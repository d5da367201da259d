import type { Settled } from './fix.ts';

/** Known defects that cannot come up here. */
export const SETTLED: readonly Settled[] = [
  {
    id: 'ns-parameter',
    symptom: '400 from a registry for the `?ns=docker.io` that containerd sends to mirrors',
    how: 'It chooses the endpoint and goes no further: [routes](../configuration.md#keys).',
    test: 'test/e2e/routes.test.ts',
  },
  {
    id: 'scope-mapping',
    symptom: '`insufficient_scope`; a `Location`, `Link` or list that leads out of the prefix',
    how: 'Names are mapped at the edge, wherever they stand, in both directions: [decisions](../decisions.md).',
    test: 'test/interop/routes.test.ts',
  },
  {
    id: 'accept-of-tokens',
    symptom: '406 from a token service that wants a certain `Accept`',
    how: 'manifix fetches its own tokens with `Accept: application/json`: [upstreams](../upstreams.md). What clients get of a token service is completed by [token-shapes](token-shapes.md).',
    test: 'test/interop/tokens.test.ts',
  },
  {
    id: 'cross-tenant-cache',
    symptom: 'Knowing a digest is enough to get private content from a shared cache',
    how: 'The registry is asked whether the caller may read it in this repository: [decisions](../decisions.md).',
    test: 'test/pipeline/access-model.test.ts',
  },
  {
    id: 'foreign-token-realm',
    symptom:
      'A token realm or a redirect makes a proxy take a password to another site, or fetch from the inside of its network',
    how: 'A token service has to be of the site of its registry, or to be named by the operator, and redirects of a registry on the internet lead to no internal address (test/upstream/address-check.test.ts): [upstreams](../upstreams.md).',
    test: 'test/domain/realm.test.ts',
  },
  {
    id: 'smuggling',
    symptom: 'One request for the proxy, two for the registry behind it',
    how: 'Requests are parsed strictly and written anew from their parts: [faults](../faults.md).',
    test: 'test/faults/smuggling.test.ts',
  },
];
