import type { DoubleResponse } from '../double/message.ts';
import { answer, errorAnswer, jsonAnswer } from '../double/message.ts';
import { routeOf } from '../double/route.ts';
import { headerValue, withHeader } from '../headers.ts';
import { mediaTypes } from '../images.ts';
import { type Defect, type DefectTable, onSuccess, refuse, unreachableOrigin } from './defect.ts';
import { nginxPage } from './errors.ts';

/** Lists that point elsewhere, come out wrong, or are not there. */
export const listDefects: DefectTable = {
  'link-absolute': onList((response) => link(response, (value) => value.replace('</', `<${unreachableOrigin}/`))),
  'link-unquoted': onList((response) => link(response, (value) => value.replace('"next"', 'next'))),
  'tags-null': onSuccess(['GET'], ['tags'], (_, { path }) => jsonAnswer(200, { name: nameIn(path), tags: null })),
  // As docker-registry 2.8: the order of a directory walk, and neither n nor last.
  'tags-unpaged': async ({ request, content, respondNormally }) => {
    const route = routeOf(request.path);
    if (route.kind !== 'tags') return respondNormally();
    return jsonAnswer(200, { name: route.repository, tags: content.tags(route.repository).toSorted().toReversed() });
  },
  // As docker-registry 3 with a limit configured; its catalogue has it by default.
  'tags-limit': refuse(
    ({ query }, { kind }) => kind === 'tags' && Number(query.get('n')) > 1000,
    ({ query }) =>
      errorAnswer(400, 'PAGINATION_NUMBER_INVALID', 'invalid number of results requested', {
        n: Number(query.get('n')),
      }),
  ),
  'referrers-login': redirectedToLogin(),
  'referrers-html': onReferrers(() => answer(200, [['Content-Type', 'text/html']], '<html>Please log in</html>')),
  'referrers-untyped': onReferrers((response) => ({
    ...response,
    headers: withHeader(response.headers, 'Content-Type', 'application/json; charset=utf-8'),
  })),
  'referrers-null': onReferrers(() => index({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: null })),
  'referrers-nomt': onReferrers(({ body }) => {
    const { manifests } = JSON.parse(body.toString()) as { manifests: unknown };
    return index({ schemaVersion: 2, manifests });
  }),
  'referrers-unfiltered': async ({ request, respondNormally }) => {
    if (routeOf(request.path).kind !== 'referrers') return respondNormally();
    const unfiltered = await respondNormally({ ...request, query: new URLSearchParams() });
    return { ...unfiltered, headers: withHeader(unfiltered.headers, 'OCI-Filters-Applied', 'artifactType') };
  },
  'referrers-400': referrersRefused(() => errorAnswer(400, 'UNSUPPORTED', 'unsupported endpoint')),
  'referrers-403': referrersRefused(() => errorAnswer(403, 'DENIED', 'denied')),
  'referrers-404': referrersRefused(() => nginxPage(404)),
  'referrers-405': referrersRefused(() => answer(405, [['Content-Type', 'text/plain']], 'Method Not Allowed')),
  'referrers-429': referrersRefused(() => errorAnswer(429, 'TOOMANYREQUESTS', 'too many requests')),
  'referrers-500': referrersRefused(() => answer(500, [['Content-Type', 'text/plain']], 'the database is gone')),
  'referrers-500-route': referrersRefused(() => answer(500, [['Content-Type', 'text/plain']], 'no such route')),
  'referrers-501': referrersRefused(() => nginxPage(501)),
};

function onList(change: (response: DoubleResponse) => DoubleResponse): Defect {
  return onSuccess(['GET'], ['tags', 'catalog'], change);
}

function onReferrers(change: (response: DoubleResponse) => DoubleResponse): Defect {
  return onSuccess(['GET'], ['referrers'], change);
}

function referrersRefused(refusal: () => DoubleResponse): Defect {
  return refuse((_, { kind }) => kind === 'referrers', refusal);
}

/** Every unknown page leads to the login page, which comes with 200. */
function redirectedToLogin(): Defect {
  return async ({ request, respondNormally }) => {
    if (request.path.endsWith('/login')) return answer(200, [['Content-Type', 'text/html']], '<html>Log in</html>');
    if (routeOf(request.path).kind !== 'referrers') return respondNormally();
    return answer(302, [['Location', '/v2/referrers-login/login']]);
  };
}

function index(document: object): DoubleResponse {
  return answer(200, [['Content-Type', mediaTypes.ociIndex]], JSON.stringify(document));
}

function link(response: DoubleResponse, change: (value: string) => string): DoubleResponse {
  const value = headerValue(response.headers, 'Link');
  return value === undefined ? response : { ...response, headers: withHeader(response.headers, 'Link', change(value)) };
}

function nameIn(path: string): string {
  const route = routeOf(path);
  return route.kind === 'tags' ? route.repository : '';
}
