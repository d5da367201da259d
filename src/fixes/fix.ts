import type { DerivationKind } from '../domain/derivation.ts';
import type { Digest } from '../domain/digest.ts';
import type { OciError, RegistryError } from '../domain/errors.ts';
import type { HeaderList } from '../domain/headers.ts';
import type { ListDocument, ListKind } from '../domain/list.ts';
import type { ManifestInspection } from '../domain/manifest.ts';
import type { MediaType } from '../domain/media-type.ts';
import type { Reference } from '../domain/reference.ts';
import type { Route } from '../domain/route.ts';

/** `on` repairs, `observe` counts and logs what it would have done, `off` is not even asked. */
export type FixMode = 'on' | 'observe' | 'off';

/**
 * What a fix does to digests. `by tag`: a tag is answered with other bytes under their own digest. `on push`: the registry
 * stores other bytes than were pushed.
 */
export type DigestEffect = 'unchanged' | 'by tag' | 'on push';

/** One choice that an operator has besides the mode. All options are closed lists of words. */
export interface FixOption {
  readonly values: readonly string[];
  readonly default: string;
  readonly description: string;
}

/** Options by name; `fixes` receive the chosen words. */
export type FixOptions = Readonly<Record<string, string>>;

/** A request on its way to the registry. Everything is as the client sent it, apart from earlier fixes. */
export interface RequestView {
  readonly method: string;
  readonly route: Route;
  /** The raw query without its `?`; empty when there is none. */
  readonly query: string;
  readonly headers: HeaderList;
  /** The header fields as the client sent them, before any fix. */
  readonly clientHeaders: HeaderList;
  /** Whether a body follows (a Content-Length above 0, or chunked). */
  readonly hasBody: boolean;
  /** The upstream whose configured credentials count there, whatever the client sends. */
  readonly accountOf?: string;
  /** How many bytes the upload session has so far, where all of them passed through here. */
  readonly uploaded?: number;
  /** The buffered body of a manifest PUT. */
  readonly manifest?: { readonly bytes: Uint8Array; readonly inspection: ManifestInspection };
}

/** What a fix wants changed in a request. At most one of `reply` and `refuse` is set. */
export interface RequestChange {
  /** One short sentence for the log: what was changed. */
  readonly note: string;
  readonly route?: Route;
  readonly query?: string;
  readonly headers?: HeaderList;
  /** Answer the client at once, without asking the registry. */
  readonly reply?: { readonly status: number; readonly headers: HeaderList };
  readonly refuse?: RegistryError;
  /** Open an upload session first, then PUT the body to it with this digest. */
  readonly splitUpload?: { readonly digest: string };
  /** Push these bytes under the tag; what the client pushed is kept and stays valid under its digest. */
  readonly push?: { readonly bytes: Uint8Array; readonly mediaType: MediaType };
}

/** A manifest that the registry answered with 200, before the client gets it. */
export interface ManifestView {
  /** GET or HEAD: for HEAD the headers are those of the registry's HEAD when one was sent. */
  readonly method: string;
  readonly reference: Reference;
  /** The manifest types that the client itself names, in the order of MANIFEST_TYPES; by digest it does not matter. */
  readonly accepted: readonly MediaType[];
  /** The registry was asked for schema 2 as well, by a client that reads it: schema 1 is all that there is. */
  readonly schema1IsAll: boolean;
  /** The registry's bytes, after content decoding. */
  readonly bytes: Uint8Array;
  /** Digest of `bytes`: in the algorithm of the reference when it is a digest, else sha256. Schema 1: of the signed payload. */
  readonly digest: Digest;
  readonly inspection: ManifestInspection;
  /** The registry's header fields, apart from earlier fixes. */
  readonly headers: HeaderList;
}

export interface ManifestChange {
  readonly note: string;
  /** The fix would change this and cannot: the note says why, and nothing is changed. */
  readonly declined?: true;
  readonly headers?: HeaderList;
  /** Serve these bytes instead, under their own digest; only ever asked for by tag. `force`: even when it is signed. */
  readonly derive?: {
    readonly bytes: Uint8Array;
    readonly mediaType: MediaType;
    readonly force: boolean;
    readonly kind: DerivationKind;
  };
  /** Serve this image of the index instead, under its own digest; only ever asked for by tag. */
  readonly select?: Digest;
  /** Serve what the pipeline makes of this schema 1 image instead, under its own digest; only ever asked for by tag. */
  readonly convert?: true;
  readonly refuse?: RegistryError;
}

/** A list as the registry answered it. Lists have no digest, so that their bodies may be changed. */
export interface ListView {
  readonly kind: ListKind;
  /** The request as the client sent it, before any fix. */
  readonly request: RequestView;
  /** The request as the registry got it, for the list or for its first page. */
  readonly sent: RequestView;
  readonly status: number;
  readonly headers: HeaderList;
  /** Status 200: the body, when it is a JSON object. */
  readonly document?: ListDocument;
  /** Status 400 and above: the start of the body, and its errors when it is in the OCI form. */
  readonly text?: string;
  readonly errors?: readonly OciError[];
}

export interface ListChange {
  readonly note: string;
  readonly headers?: HeaderList;
  readonly document?: ListDocument;
  /** Drop this answer and ask the registry once more with this query; `limit` is what the registry is then known to allow. */
  readonly again?: { readonly query: string; readonly limit: number };
  readonly refuse?: RegistryError;
}

/** Any other answer of the registry, and that with a list after its own fixes, before the client gets it. */
export interface ResponseView {
  /** The request as the client sent it, before any fix. */
  readonly request: RequestView;
  /** The request as the registry got it. */
  readonly sent: RequestView;
  readonly status: number;
  readonly headers: HeaderList;
  /** Status 400 and above: the start of the body (at most 64 KiB). */
  readonly text?: string;
  /** Status 400 and above: the errors of the body, when it is in the OCI form. */
  readonly errors?: readonly OciError[];
  /** An earlier fix explained these errors already; one explanation is enough. */
  readonly explained?: boolean;
  /** What was streamed to the registry as the content of the manifest or of the upload so far, once it was sent whole. */
  readonly received?: { readonly digest: Digest; readonly size: number };
  /** `http://host:port` as the client sees manifix, and the registry's own. */
  readonly clientOrigin: string;
  readonly upstreamOrigin: string;
  /** The upstream whose configured credentials the registry saw in place of the client's. */
  readonly accountOf?: string;
  /** Makes an absolute URL of another place into an opaque upload path (`/v2/<name>/blobs/uploads/...`) that leads back to it. */
  readonly sealLocation: (url: string) => string;
}

export interface ResponseChange {
  readonly note: string;
  readonly status?: number;
  readonly headers?: HeaderList;
  /** Replaces an error body that is not in the OCI form. */
  readonly errors?: readonly OciError[];
  /** One or two plain sentences: what arrived, why the registry refuses it, what to do. */
  readonly explain?: string;
  readonly refuse?: RegistryError;
}

/**
 * One repair. Hooks are pure: same view and options, same change; `undefined` means "not mine".
 * A hook never changes what is already right, so that applying it twice is applying it once.
 * A repair that needs I/O has no hooks: the pipeline carries it out when its mode is `on`.
 */
export interface Fix {
  readonly id: string;
  /** What is repaired, in one line, for tables and pages. */
  readonly title: string;
  /** What people see of the defect, in one line of Markdown: the text of an error where there is one. */
  readonly symptom: string;
  readonly defaultMode: FixMode;
  readonly digest: DigestEffect;
  /**
   * The repair would burden a healthy registry. `on` means: from the first time on that this registry shows the defect, and
   * for as long as that is remembered. Such a fix is the pipeline's work, by `Defects` of its ports.
   */
  readonly trigger?: 'proven-defect';
  readonly options?: Readonly<Record<string, FixOption>>;
  readonly request?: (view: RequestView, options: FixOptions) => RequestChange | undefined;
  readonly manifest?: (view: ManifestView, options: FixOptions) => ManifestChange | undefined;
  readonly list?: (view: ListView, options: FixOptions) => ListChange | undefined;
  readonly response?: (view: ResponseView, options: FixOptions) => ResponseChange | undefined;
}

/** A way of doing things that is not a switch: manifix never works otherwise. It has a page and tests like a fix. */
export interface Rule {
  readonly id: string;
  readonly title: string;
  /** What people see where the rule does not hold, in one line of Markdown. */
  readonly symptom: string;
}

/** A known defect that manifix leaves alone on purpose. It has no switch and no page. */
export interface NotDone {
  readonly id: string;
  /** What people see of the defect, in one line of Markdown. */
  readonly symptom: string;
  /** Why it is left alone, and what to do instead. */
  readonly reason: string;
}

/** A known defect that cannot come up, because of the way manifix works or is configured. It has tests and no page. */
export interface Settled {
  readonly id: string;
  /** What people see of the defect elsewhere, in one line of Markdown. */
  readonly symptom: string;
  /** Why it does not come up here, in Markdown for a page in docs/fixes. */
  readonly how: string;
  /** A test that shows it. */
  readonly test: string;
}
