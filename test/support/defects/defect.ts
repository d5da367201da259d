import type { DoubleContent } from '../double/content.ts';
import type { DoubleRequest, DoubleResponse } from '../double/message.ts';
import { type Route, routeOf } from '../double/route.ts';

/** What a defect may use besides the request. */
export interface DefectContext {
  readonly request: DoubleRequest;
  readonly content: DoubleContent;
  /** URL of the storage server to which blobs are redirected. */
  readonly storage: string;
  respondNormally(request?: DoubleRequest): Promise<DoubleResponse>;
}

/** One way in which a registry misbehaves. */
export type Defect = (context: DefectContext) => Promise<DoubleResponse>;

/** Defects by the name that stands first in the repository's path. */
export type DefectTable = Readonly<Record<string, Defect>>;

type Change = (response: DoubleResponse, request: DoubleRequest) => DoubleResponse;

/** An origin that nobody reaches, as the inner address of a registry is for clients outside; no name has to be looked up. */
export const unreachableOrigin = 'http://127.0.0.1:1';

/** Changes successful answers to GET and HEAD of manifests. */
export function onManifest(change: Change): Defect {
  return onSuccess(['GET', 'HEAD'], ['manifest'], change);
}

/** Changes successful answers to GET and HEAD of blobs. */
export function onBlob(change: Change): Defect {
  return onSuccess(['GET', 'HEAD'], ['blob'], change);
}

/** Changes answers below 300 to these methods on these endpoints. */
export function onSuccess(methods: readonly string[], kinds: readonly Route['kind'][], change: Change): Defect {
  return async ({ request, respondNormally }) => {
    const response = await respondNormally();
    const affected = methods.includes(request.method) && kinds.includes(routeOf(request.path).kind);
    return affected && response.status < 300 ? change(response, request) : response;
  };
}

/** Refuses these requests; the others are answered as usual. */
export function refuse(
  affects: (request: DoubleRequest, route: Route) => boolean,
  refusal: (request: DoubleRequest) => DoubleResponse,
): Defect {
  return async ({ request, respondNormally }) =>
    affects(request, routeOf(request.path)) ? refusal(request) : respondNormally();
}
