import type { Digest } from '../domain/digest.ts';
import { explainErrors, type OciError, type RegistryError } from '../domain/errors.ts';
import type { HeaderList } from '../domain/headers.ts';
import type { ListDocument } from '../domain/list.ts';
import type {
  Fix,
  FixMode,
  FixOptions,
  ListChange,
  ListView,
  ManifestChange,
  ManifestView,
  RequestChange,
  RequestView,
  ResponseChange,
  ResponseView,
} from './fix.ts';

/** How one fix is set for an endpoint. */
export interface FixSetting {
  readonly mode: FixMode;
  readonly options: FixOptions;
}

/** One fix that changed an exchange (`on`), would have (`observe`), or failed and left it alone. */
export interface AppliedFix {
  readonly id: string;
  readonly mode: 'on' | 'observe';
  readonly note: string;
  readonly failure?: unknown;
}

export interface RequestOutcome {
  readonly view: RequestView;
  readonly reply?: RequestChange['reply'];
  readonly refuse?: RegistryError;
  readonly splitUpload?: RequestChange['splitUpload'];
  /** Whose bytes they are is not among `applied`: the pipeline has to keep what they replace first. */
  readonly push?: NonNullable<RequestChange['push']> & { readonly fix: AppliedFix };
  readonly applied: readonly AppliedFix[];
}

export interface ManifestOutcome {
  readonly headers: HeaderList;
  /** The id tells whose derived bytes they are. */
  readonly derive?: NonNullable<ManifestChange['derive']> & { readonly fix: AppliedFix };
  /** The image of an index that takes its place; nothing is derived then. */
  readonly select?: Digest;
  /** The fix by which the pipeline is to convert the image. */
  readonly convert?: AppliedFix;
  readonly refuse?: RegistryError;
  readonly applied: readonly AppliedFix[];
}

export interface ListOutcome {
  readonly headers: HeaderList;
  readonly document?: ListDocument;
  /** Nothing else of the outcome counts: the registry is to be asked once more. */
  readonly again?: NonNullable<ListChange['again']> & { readonly fix: string };
  readonly refuse?: RegistryError;
  readonly applied: readonly AppliedFix[];
}

export interface ResponseOutcome {
  readonly status: number;
  readonly headers: HeaderList;
  readonly errors?: readonly OciError[];
  readonly refuse?: RegistryError;
  readonly applied: readonly AppliedFix[];
}

/** The fixes of one endpoint, ready to run in the catalogue's order. */
export interface FixSet {
  request(view: RequestView): RequestOutcome;
  manifest(view: ManifestView): ManifestOutcome;
  list(view: ListView): ListOutcome;
  response(view: ResponseView): ResponseOutcome;
  /** How a fix without hooks is set; the pipeline carries it out. */
  mode(id: string): FixMode;
  /** The word chosen for an option of a fix whose work the pipeline shares. */
  option(id: string, name: string): string | undefined;
}

type Step<View, Change> = {
  readonly id: string;
  readonly mode: 'on' | 'observe';
  readonly options: FixOptions;
  readonly hook: (view: View, options: FixOptions) => Change | undefined;
};

/**
 * Binds fixes to an endpoint's settings; a fix without a setting runs in its default mode.
 * A hook that throws leaves the exchange as it was and is reported with its failure.
 */
export function compileFixes(fixes: readonly Fix[], settings: Readonly<Record<string, FixSetting>>): FixSet {
  const requestSteps = steps(fixes, settings, (fix) => fix.request);
  const manifestSteps = steps(fixes, settings, (fix) => fix.manifest);
  const listSteps = steps(fixes, settings, (fix) => fix.list);
  const responseSteps = steps(fixes, settings, (fix) => fix.response);
  const chosen = new Map(fixes.map((fix) => [fix.id, settings[fix.id] ?? defaultSetting(fix)]));
  return {
    request: (view) => runRequest(requestSteps, view),
    manifest: (view) => runManifest(manifestSteps, view),
    list: (view) => runList(listSteps, view),
    response: (view) => runResponse(responseSteps, view),
    mode: (id) => chosen.get(id)?.mode ?? 'off',
    option: (id, name) => chosen.get(id)?.options[name],
  };
}

/** The setting of a fix that nobody configured. */
export function defaultSetting(fix: Fix): FixSetting {
  const options = Object.entries(fix.options ?? {}).map(([name, option]) => [name, option.default]);
  return { mode: fix.defaultMode, options: Object.fromEntries(options) };
}

function steps<View, Change>(
  fixes: readonly Fix[],
  settings: Readonly<Record<string, FixSetting>>,
  hookOf: (fix: Fix) => ((view: View, options: FixOptions) => Change | undefined) | undefined,
): readonly Step<View, Change>[] {
  return fixes.flatMap((fix) => {
    const hook = hookOf(fix);
    const { mode, options } = settings[fix.id] ?? defaultSetting(fix);
    return hook === undefined || mode === 'off' ? [] : [{ id: fix.id, mode, options, hook }];
  });
}

/** Asks one step; says what it wants changed, and only when it is `on`. */
function ask<View, Change extends { readonly note: string; readonly declined?: true }>(
  step: Step<View, Change>,
  view: View,
  applied: AppliedFix[],
): Change | undefined {
  try {
    const change = step.hook(view, step.options);
    if (change === undefined) return undefined;
    const mode = change.declined === true ? 'observe' : step.mode;
    applied.push({ id: step.id, mode, note: change.note });
    return mode === 'on' ? change : undefined;
  } catch (failure) {
    applied.push({ id: step.id, mode: step.mode, note: 'failed; the original was left as it is', failure });
    return undefined;
  }
}

function runRequest(requestSteps: readonly Step<RequestView, RequestChange>[], original: RequestView): RequestOutcome {
  const applied: AppliedFix[] = [];
  let view = original;
  let splitUpload: RequestChange['splitUpload'];
  let push: RequestOutcome['push'];
  for (const step of requestSteps) {
    const change = ask(step, view, applied);
    if (change === undefined) continue;
    if (change.refuse !== undefined) return { view, refuse: change.refuse, applied };
    if (change.reply !== undefined) return { view, reply: change.reply, applied };
    view = {
      ...view,
      route: change.route ?? view.route,
      query: change.query ?? view.query,
      headers: change.headers ?? view.headers,
    };
    splitUpload = change.splitUpload ?? splitUpload;
    const fix = change.push && applied.pop();
    if (change.push !== undefined && fix !== undefined) push = { ...change.push, fix };
  }
  return {
    view,
    applied,
    ...(splitUpload === undefined ? {} : { splitUpload }),
    ...(push === undefined ? {} : { push }),
  };
}

function runManifest(
  manifestSteps: readonly Step<ManifestView, ManifestChange>[],
  original: ManifestView,
): ManifestOutcome {
  const applied: AppliedFix[] = [];
  let headers = original.headers;
  let derive: ManifestOutcome['derive'];
  for (const step of manifestSteps) {
    const change = ask(step, { ...original, headers }, applied);
    if (change === undefined) continue;
    if (change.refuse !== undefined) return { headers, refuse: change.refuse, applied };
    if (change.select !== undefined) return { headers, select: change.select, applied };
    headers = change.headers ?? headers;
    const fix = applied.at(-1);
    if (change.convert === true && fix !== undefined) return { headers, convert: fix, applied };
    if (change.derive !== undefined && derive === undefined && fix !== undefined) {
      derive = { ...change.derive, fix };
    }
  }
  return { headers, applied, ...(derive === undefined ? {} : { derive }) };
}

function runList(listSteps: readonly Step<ListView, ListChange>[], original: ListView): ListOutcome {
  const applied: AppliedFix[] = [];
  let view = original;
  for (const step of listSteps) {
    const change = ask(step, view, applied);
    if (change === undefined) continue;
    const { headers = view.headers, document = view.document, again, refuse } = change;
    if (refuse !== undefined) return { headers, refuse, applied };
    if (again !== undefined) return { headers, again: { ...again, fix: step.id }, applied };
    view = { ...view, headers, ...(document && { document }) };
  }
  const { headers, document } = view;
  return { headers, applied, ...(document === undefined ? {} : { document }) };
}

function runResponse(
  responseSteps: readonly Step<ResponseView, ResponseChange>[],
  original: ResponseView,
): ResponseOutcome {
  const applied: AppliedFix[] = [];
  let view = original;
  for (const step of responseSteps) {
    const change = ask(step, view, applied);
    if (change === undefined) continue;
    if (change.refuse !== undefined)
      return { status: view.status, headers: view.headers, refuse: change.refuse, applied };
    view = { ...view, status: change.status ?? view.status, headers: change.headers ?? view.headers };
    const errors = change.errors ?? view.errors;
    if (errors !== undefined) view = { ...view, errors };
    if (errors !== undefined && change.explain !== undefined) {
      view = { ...view, errors: explainErrors(errors, change.explain, step.id), explained: true };
    }
  }
  const { status, headers, errors } = view;
  return { status, headers, applied, ...(errors === undefined ? {} : { errors }) };
}
