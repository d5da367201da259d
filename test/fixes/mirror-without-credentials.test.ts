import { describe, expect, it } from 'vitest';
import { mirrorWithoutCredentials } from '../../src/fixes/mirror-without-credentials.ts';
import { defaultSetting } from '../../src/fixes/run.ts';
import { requestView } from '../support/views.ts';

const base = { kind: 'base' } as const;
const ask = (overrides: Parameters<typeof requestView>[0]) =>
  mirrorWithoutCredentials.request?.(requestView({ accountOf: 'hub', route: base, ...overrides }), {});

describe('mirror-without-credentials', () => {
  it('answers the question whether credentials are needed with no', () => {
    for (const method of ['GET', 'HEAD']) expect(ask({ method })?.reply?.status).toBe(200);
  });

  it('leaves everything alone where the credentials of clients count', () => {
    expect(mirrorWithoutCredentials.request?.(requestView({ route: base }), {})).toBeUndefined();
  });

  it('leaves other requests alone, and is off unless wanted', () => {
    expect(ask({ method: 'POST' })).toBeUndefined();
    expect(ask({ route: { kind: 'catalog' } })).toBeUndefined();
    expect(defaultSetting(mirrorWithoutCredentials).mode).toBe('off');
  });
});
