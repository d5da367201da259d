import { describe, expect, it } from 'vitest';
import { startApp } from '../../src/app.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { StartApp } from '../../src/explain/throw-away.ts';
import type { FixMode } from '../../src/fixes/fix.ts';
import { FIXES, RULES } from '../../src/fixes/index.ts';
import { CASES, NOT_TESTABLE } from '../../src/selftest/cases.ts';
import { type Outcome, runSelftest } from '../../src/selftest/run.ts';

/** Fixes that the selftest can try. */
const tried = FIXES.map(({ id }) => id).filter((id) => NOT_TESTABLE[id] === undefined);

/** A configuration with one upstream, for which there are no cases that it could not run. */
function configured(): Config {
  const loaded = loadConfig({
    flags: { upstream: 'http://registry.example.com' },
    env: { MANIFIX_UPSTREAMS_DEFAULT_KIND: 'dockerhub' },
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

describe('the cases of the selftest', () => {
  it('pass with every fix on', async () => {
    const told = await outcomes(withModes(configured(), 'on'));
    expect(Object.entries(told).filter(([, outcome]) => outcome !== 'pass' && outcome !== 'not tested')).toEqual([]);
  });

  it('are noticed with every fix observing, and rules hold all the same', async () => {
    const told = await outcomes(withModes(configured(), 'observe'));
    const silent = new Set(CASES.filter(({ isSilent }) => isSilent).map(({ id }) => id));
    expect(tried.filter((id) => told[id] !== 'observed' && !silent.has(id))).toEqual([]);
    expect(RULES.filter(({ id }) => told[id] !== 'pass')).toEqual([]);
  });

  it('fail where the fix is missing', async () => {
    const repairingNothing: StartApp = (config, hooks) => startApp(withModes(config, 'off'), hooks);
    const told = await outcomes(withModes(configured(), 'on'), repairingNothing);
    expect(tried.filter((id) => told[id] !== 'fail')).toEqual([]);
  });
});

describe('the selftest', () => {
  it('passes with the defaults, and says what is off', async () => {
    const told = await outcomes(configured());
    const off = FIXES.filter(({ defaultMode }) => defaultMode === 'off').map(({ id }) => id);
    expect(Object.entries(told).filter(([, outcome]) => outcome === 'fail')).toEqual([]);
    expect(off.filter((id) => told[id] !== 'off' && NOT_TESTABLE[id] === undefined)).toEqual([]);
  });

  it('tries each endpoint with its own settings, however it is reached', async () => {
    const { endpoints, ...config } = configured();
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
  });
});
