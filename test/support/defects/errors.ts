import type { DoubleResponse } from '../double/message.ts';
import { answer, errorAnswer, jsonAnswer } from '../double/message.ts';
import { routeOf } from '../double/route.ts';
import { headerValue, withoutHeader } from '../headers.ts';
import { type Defect, type DefectTable, refuse, unreachableOrigin } from './defect.ts';

/** Errors in HTML or plain text, and answers that are not what was asked for. */
export const errorDefects: DefectTable = {
  'html-errors': onError(({ status }) => nginxPage(status)),
  'html-404': refuse(isContent, () => nginxPage(404)),
  'html-413': refuse(
    ({ method }) => method === 'PATCH' || method === 'PUT',
    () => nginxPage(413),
  ),
  'html-503': refuse(isContent, () => nginxPage(503)),
  'text-404': onError(() => answer(404, [['Content-Type', 'text/plain; charset=utf-8']], '404 page not found\n')),
  'json-without-errors': onError(({ status }) => jsonAnswer(status, { error: 'not the format of the specification' })),
  'no-api-version': async ({ respondNormally }) => {
    const response = await respondNormally();
    return { ...response, headers: withoutHeader(response.headers, 'Docker-Distribution-Api-Version') };
  },
  'blob-serves-manifest': blobServesManifest(),
  'realm-internal': unauthorised([['WWW-Authenticate', `Bearer realm="${unreachableOrigin}/token",service="r"`]]),
  'challenge-missing': unauthorised([]),
};

function isContent(_: unknown, { kind }: { kind: string }): boolean {
  return kind !== 'base';
}

function onError(change: (response: DoubleResponse) => DoubleResponse): Defect {
  return async ({ respondNormally }) => {
    const response = await respondNormally();
    return response.status < 400 ? response : change(response);
  };
}

function unauthorised(headers: readonly (readonly [string, string])[]): Defect {
  return refuse(
    ({ headers: sent }) => headerValue(sent, 'Authorization') === undefined,
    () => {
      const refusal = errorAnswer(401, 'UNAUTHORIZED', 'authentication required');
      return { ...refusal, headers: [...refusal.headers, ...headers] };
    },
  );
}

function blobServesManifest(): Defect {
  return async ({ request, content, respondNormally }) => {
    const route = routeOf(request.path);
    const found = route.kind === 'blob' ? content.manifest(route.repository, route.digest) : undefined;
    if (found === undefined) return respondNormally();
    return answer(200, [['Content-Type', 'application/octet-stream']], found.manifest.bytes);
  };
}

/** The page that nginx answers errors with. */
export function nginxPage(status: number): DoubleResponse {
  const title = `${status} from the reverse proxy`;
  const page = `<html>\r\n<head><title>${title}</title></head>\r\n<body><center><h1>${title}</h1></center></body>\r\n</html>\r\n`;
  return answer(status, [['Content-Type', 'text/html']], page);
}
