import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainErrors } from '../../src/domain/errors.ts';
import { inspectManifest } from '../../src/domain/manifest.ts';
import type {
  Fix,
  FixOptions,
  ListChange,
  ListView,
  ManifestChange,
  ManifestView,
  RequestChange,
  RequestView,
  ResponseChange,
  ResponseView,
} from '../../src/fixes/fix.ts';
import { FIXES } from '../../src/fixes/index.ts';
import { compileFixes, type FixSet, type FixSetting } from '../../src/fixes/run.ts';
import { listViews, manifestViews, requestViews, responseViews } from '../support/arbitrary-views.ts';
import { manifestView } from '../support/views.ts';

/** Every combination of a fix's options; one empty set when it has none. */
function optionChoices(fix: Fix): readonly FixOptions[] {
  return Object.entries(fix.options ?? {}).reduce<readonly FixOptions[]>(
    (choices, [name, { values }]) => choices.flatMap((choice) => values.map((value) => ({ ...choice, [name]: value }))),
    [{}],
  );
}

/** The view after a change; undefined when the exchange ends with it. */
function changedRequest(view: RequestView, change: RequestChange): RequestView | undefined {
  if (change.refuse !== undefined || change.reply !== undefined || change.splitUpload !== undefined) return undefined;
  const { route = view.route, query = view.query, headers = view.headers, push } = change;
  const manifest = push && { bytes: push.bytes, inspection: inspectManifest(push.bytes) };
  return { ...view, route, query, headers, ...(manifest && { manifest }) };
}

function changedManifest(view: ManifestView, { refuse, derive, headers }: ManifestChange): ManifestView | undefined {
  if (refuse !== undefined) return undefined;
  const { method } = view;
  return manifestView({ method, body: derive?.bytes ?? view.bytes, headers: headers ?? view.headers, ...asked(view) });
}

function asked({ reference }: ManifestView): { readonly reference?: string } {
  return reference.kind === 'digest' ? { reference: reference.digest } : {};
}

function changedList(view: ListView, { refuse, again, ...change }: ListChange): ListView | undefined {
  if (refuse !== undefined || again !== undefined) return undefined;
  const { headers = view.headers, document = view.document } = change;
  return { ...view, headers, ...(document && { document }) };
}

function changedResponse(view: ResponseView, change: ResponseChange): ResponseView | undefined {
  if (change.refuse !== undefined) return undefined;
  const { status = view.status, headers = view.headers, errors = view.errors, explain } = change;
  const changed = { ...view, status, headers };
  if (errors === undefined) return changed;
  if (explain === undefined) return { ...changed, errors };
  return { ...changed, errors: explainErrors(errors, explain, 'some-fix'), explained: true };
}

/** Asks a hook twice about one view, which gives one answer, and then about the changed view, where it has nothing to do. */
function hold<View, Change>(
  fix: Fix,
  hook: ((view: View, options: FixOptions) => Change | undefined) | undefined,
  views: fc.Arbitrary<View>,
  changed: (view: View, change: Change) => View | undefined,
): void {
  for (const options of optionChoices(fix)) {
    fc.assert(
      fc.property(views, (view) => {
        const change = hook?.(view, options);
        expect(hook?.(view, options)).toEqual(change);
        const after = change === undefined ? undefined : changed(view, change);
        if (after !== undefined) expect(hook?.(after, options)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  }
}

describe.each(FIXES.map((fix) => [fix.id, fix] as const))('%s, whatever it is shown', (_, fix) => {
  it('treats equal requests equally, and a repaired one as healthy', () => {
    hold(fix, fix.request, requestViews, changedRequest);
  });

  it('treats equal manifests equally, and a repaired one as healthy', () => {
    hold(fix, fix.manifest, manifestViews, changedManifest);
  });

  it('derives other bytes only when the catalogue says that it changes digests', () => {
    const derives = (view: ManifestView) =>
      optionChoices(fix).some((options) => fix.manifest?.(view, options)?.derive !== undefined);
    fc.assert(fc.property(manifestViews, (view) => fix.digest !== 'unchanged' || !derives(view)));
  });

  it('treats equal lists equally, and a repaired one as healthy', () => {
    hold(fix, fix.list, listViews, changedList);
  });

  it('treats equal answers equally, and a repaired one as healthy', () => {
    hold(fix, fix.response, responseViews, changedResponse);
  });
});

describe('the catalogue with everything on', () => {
  const settings = Object.fromEntries(
    FIXES.map((fix): [string, FixSetting] => [fix.id, { mode: 'on', options: optionChoices(fix).at(-1) ?? {} }]),
  );
  const fixes = compileFixes(FIXES, settings);
  const failures = (applied: readonly { readonly failure?: unknown }[]) => applied.filter(({ failure }) => failure);

  it('overrules the signature guard where an option allows it', () => {
    expect(settings['index-without-mediatype']?.options).toEqual({ force: 'yes', delete: 'original' });
  });

  it('never fails', () => {
    fc.assert(
      fc.property(requestViews, manifestViews, listViews, responseViews, (request, manifest, list, response) => {
        expect(failures(fixes.request(request).applied)).toEqual([]);
        expect(failures(fixes.manifest(manifest).applied)).toEqual([]);
        expect(failures(fixes.list(list).applied)).toEqual([]);
        expect(failures(fixes.response(response).applied)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('never derives other bytes for a manifest that was asked for by digest', () => {
    fc.assert(
      fc.property(manifestViews, (view) => {
        const outcome = fixes.manifest(view);
        expect(outcome.derive === undefined || view.reference.kind === 'tag').toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('leaves a request healthy: a second pass finds nothing to repair', () => {
    fc.assert(
      fc.property(requestViews, (view) => {
        const outcome = fixes.request(view);
        if (outcome.refuse !== undefined || outcome.reply !== undefined) return;
        expect(fixes.request(outcome.view).view).toEqual(outcome.view);
      }),
    );
  });

  it('leaves a manifest healthy: a second pass finds nothing to repair', () => {
    fc.assert(
      fc.property(manifestViews, (view) => {
        const outcome = fixes.manifest(view);
        if (outcome.refuse !== undefined) return;
        const bytes = outcome.derive?.bytes ?? view.bytes;
        const again = fixes.manifest({ ...view, headers: outcome.headers });
        expect(again.headers).toEqual(outcome.headers);
        expect(Buffer.from(again.derive?.bytes ?? bytes).equals(bytes)).toBe(true);
      }),
    );
  });

  it('leaves a list healthy: a second pass finds nothing to repair', () => {
    fc.assert(
      fc.property(listViews, (view) => {
        const { headers, document, again, refuse } = fixes.list(view);
        if (again !== undefined || refuse !== undefined) return;
        const repaired = { ...view, headers, ...(document && { document }) };
        expect(fixes.list(repaired)).toMatchObject({ headers, ...(document && { document }), applied: [] });
      }),
    );
  });

  it('leaves an answer healthy: a second pass finds nothing to repair', () => {
    fc.assert(
      fc.property(responseViews, (view) => {
        const { status, headers, errors, refuse } = fixes.response(view);
        if (refuse !== undefined) return;
        const repaired = { ...view, status, headers, ...(errors && { errors, explained: true }) };
        expect(fixes.response(repaired)).toMatchObject({ status, headers, applied: [] });
      }),
    );
  });
});

describe('the catalogue with any settings', () => {
  const settings = fc.record(
    Object.fromEntries(
      FIXES.map((fix) => {
        const options = fc.constantFrom(...optionChoices(fix));
        return [fix.id, fc.record<FixSetting>({ mode: fc.constantFrom('on', 'observe', 'off'), options })];
      }),
    ),
  );
  const place = new Map(FIXES.map(({ id }, at) => [id, at]));

  /** Holds an outcome to the order of the catalogue, and to what it is when the settings are written the other way round. */
  function holdOrder<View, Outcome extends { readonly applied: readonly { readonly id: string }[] }>(
    views: fc.Arbitrary<View>,
    through: (fixes: FixSet, view: View) => Outcome,
  ): void {
    fc.assert(
      fc.property(settings, views, (chosen, view) => {
        const outcome = through(compileFixes(FIXES, chosen), view);
        const places = outcome.applied.map(({ id }) => place.get(id) ?? -1);
        expect(places).toEqual(places.toSorted((one, other) => one - other));
        const reversed = Object.fromEntries(Object.entries(chosen).toReversed());
        expect(through(compileFixes(FIXES, reversed), view)).toEqual(outcome);
      }),
      { numRuns: 300 },
    );
  }

  it('repairs requests in its own order', () => {
    holdOrder(requestViews, (fixes, view) => fixes.request(view));
  });

  it('repairs manifests in its own order', () => {
    holdOrder(manifestViews, (fixes, view) => fixes.manifest(view));
  });

  it('repairs lists in its own order', () => {
    holdOrder(listViews, (fixes, view) => fixes.list(view));
  });

  it('repairs answers in its own order', () => {
    holdOrder(responseViews, (fixes, view) => fixes.response(view));
  });
});
