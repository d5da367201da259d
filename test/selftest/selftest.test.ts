import { describe, expect, it } from 'vitest';
import { startApp } from '../../src/app.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { StartApp } from '../../src/explain/throw-away.ts';
import type { FixMode } from '../../src/fixes/fix.ts';
import { FIXES, RULES } from '../../src/fixes/index.ts';
import type { SelftestCase } from '../../src/selftest/case.ts';
import { CASES } from '../../src/selftest/cases.ts';
import { type Outcome, runSelftest } from '../../src/selftest/run.ts';
import { startRegistryDouble } from '../support/registry-double.ts';

type Authority = NonNullable<SelftestCase['authority']>;
const AUTHORITIES: readonly Authority[] = ['caller', 'own'];

/** Fixes that the selftest tries where it is asked in this name. */
function tried(authority: Authority): readonly string[] {
  const others = CASES.filter((one) => one.authority !== undefined && one.authority !== authority);
  return FIXES.map(({ id }) => id).filter((id) => !others.some((other) => other.id === id));
}

/** A configuration with one upstream of the kind for which there are most cases. */
function configured(authority: Authority = 'caller'): Config {
  const loaded = loadConfig({
    flags: { upstream: 'http://registry.example.com' },
    env: {
      MANIFIX_UPSTREAMS_DEFAULT_KIND: 'dockerhub',
      ...(authority === 'own' && { MANIFIX_UPSTREAMS_DEFAULT_CREDENTIALS: 'none' }),
    },
    fixes: FIXES,
  });
  if ('mistakes' in loaded) throw new Error(loaded.mistakes.join('\n'));
  return loaded.config;
}

function withModes(config: Config, mode: FixMode): Config {
  const endpoints = config.endpoints.map((endpoint) => ({
    ...endpoint,
    fixes: Object.fromEntries(Object.entries(endpoint.fixes).map(([id, setting]) => [id, { ...setting, mode }])),
  }));
  return { ...config, endpoints };
}

async function outcomes(config: Config, start: StartApp = startApp): Promise<Record<string, Outcome>> {
  const results = await runSelftest(start, config);
  return Object.fromEntries(results.map(({ id, outcome }) => [id, outcome]));
}

describe.each(AUTHORITIES)('the cases of the selftest, where the right of the %s counts', (authority) => {
  it('pass with every fix on', async () => {
    const told = await outcomes(withModes(configured(authority), 'on'));
    expect(tried(authority).filter((id) => told[id] !== 'pass')).toEqual([]);
  });

  it('are noticed with every fix observing, and rules hold all the same', async () => {
    const told = await outcomes(withModes(configured(authority), 'observe'));
    const silent = new Set(CASES.filter(({ isSilent }) => isSilent).map(({ id }) => id));
    expect(tried(authority).filter((id) => told[id] !== 'observed' && !silent.has(id))).toEqual([]);
    expect(RULES.filter(({ id }) => told[id] !== 'pass')).toEqual([]);
  });

  it('fail where the fix is missing', async () => {
    const repairingNothing: StartApp = (config, hooks) => startApp(withModes(config, 'off'), hooks);
    const told = await outcomes(withModes(configured(authority), 'on'), repairingNothing);
    expect(tried(authority).filter((id) => told[id] !== 'fail')).toEqual([]);
  });
});

describe('the selftest', () => {
  it('tries every fix that is on by default or observes, and says which are off', async () => {
    const told = await outcomes(configured());
    const expected = { on: 'pass', observe: 'observed', off: 'off' } as const;
    const ids = new Set(tried('caller'));
    const wanted = FIXES.filter(({ id }) => ids.has(id)).map(({ id, defaultMode }) => [id, expected[defaultMode]]);
    expect(
      Object.entries(told)
        .filter(([id]) => ids.has(id))
        .toSorted(),
    ).toEqual(wanted.toSorted());
    expect(FIXES.filter(({ id, defaultMode }) => !ids.has(id) && defaultMode !== 'off')).toEqual([]);
  });

  it('tries each endpoint with its own settings, however it is reached, and asks no registry but its own', async () => {
    await using other = await startRegistryDouble();
    const { endpoints, ...rest } = configured();
    const upstreams = Object.entries(rest.upstreams).map(([name, upstream]) => [
      name,
      { ...upstream, fallbacks: [other.url], proxy: { origin: other.url } },
    ]);
    const config = { ...rest, upstreams: Object.fromEntries(upstreams) };
    const [first] = endpoints;
    if (first === undefined) throw new Error('no endpoint');
    const strict = {
      ...withModes({ ...config, endpoints }, 'off').endpoints[0],
      ...{ name: 'strict', host: 'strict.example', isDefault: false },
    };
    const results = await runSelftest(startApp, {
      ...config,
      endpoints: [first, { ...first, ...strict, readOnly: true }],
    });
    const of = (name: string) =>
      results.filter(({ endpoint, id }) => endpoint === name && id === 'content-type-generic');
    expect(of('default')).toMatchObject([{ outcome: 'pass' }]);
    expect(of('strict')).toMatchObject([{ outcome: 'off' }]);
    expect(other.requests).toEqual([]);
  });
});
