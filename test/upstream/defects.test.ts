import { describe, expect, it, vi } from 'vitest';
import { createDefects } from '../../src/upstream/defects.ts';

const TEN_MINUTES = 600_000;

function scene() {
  let time = 0;
  const onNew = vi.fn<(upstream: string, fix: string) => void>();
  const defects = createDefects(() => time, onNew);
  const pass = (milliseconds: number) => {
    time += milliseconds;
  };
  return { defects, onNew, pass };
}

describe('the memory of defects', () => {
  it('knows of a registry only the defects that it showed', () => {
    const { defects } = scene();
    defects.prove('hub', 'head-unsupported');
    expect(defects.proven('hub', 'head-unsupported')).toEqual({});
    expect(defects.proven('hub', 'body-framing-limits')).toBeUndefined();
    expect(defects.proven('other', 'head-unsupported')).toBeUndefined();
  });

  it('forgets a defect ten minutes after it was last seen', () => {
    const { defects, pass } = scene();
    defects.prove('hub', 'head-unsupported');
    pass(TEN_MINUTES - 1);
    defects.prove('hub', 'head-unsupported');
    pass(TEN_MINUTES - 1);
    expect(defects.proven('hub', 'head-unsupported')).toBeDefined();
    expect(defects.list()).toMatchObject([{ upstream: 'hub', fix: 'head-unsupported' }]);
    pass(1);
    expect(defects.proven('hub', 'head-unsupported')).toBeUndefined();
    expect(defects.list()).toEqual([]);
  });

  it('keeps what was found out until something newer is found out', () => {
    const { defects, pass } = scene();
    defects.prove('hub', 'body-framing-limits', { limit: 65_536 });
    defects.prove('hub', 'body-framing-limits');
    expect(defects.proven('hub', 'body-framing-limits')).toEqual({ limit: 65_536 });
    defects.prove('hub', 'body-framing-limits', { limit: 1_024 });
    expect(defects.proven('hub', 'body-framing-limits')).toEqual({ limit: 1_024 });
    pass(TEN_MINUTES);
    defects.prove('hub', 'body-framing-limits');
    expect(defects.proven('hub', 'body-framing-limits')).toEqual({});
  });

  it('tells of a defect once while it is remembered', () => {
    const { defects, onNew, pass } = scene();
    defects.prove('hub', 'head-unsupported');
    defects.prove('hub', 'head-unsupported');
    expect(onNew.mock.calls).toEqual([['hub', 'head-unsupported']]);
    pass(TEN_MINUTES);
    defects.prove('hub', 'head-unsupported');
    expect(onNew).toHaveBeenCalledTimes(2);
  });

  it('can be cleared, and does not grow without end', () => {
    const { defects } = scene();
    for (let number = 0; number < 1_001; number += 1) defects.prove(`registry-${number}`, 'head-unsupported');
    expect(defects.list()).toHaveLength(1_000);
    expect(defects.proven('registry-0', 'head-unsupported')).toBeUndefined();
    defects.clear();
    expect(defects.list()).toEqual([]);
  });
});
