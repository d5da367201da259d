import { headerValue } from '../domain/headers.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { Fix, RequestView } from './fix.ts';

/**
 * docker-registry answers the address without the slash with a 301, which most clients follow with a GET or not at all.
 * Scripts for curl -L rely on seeing two answers, so that curl gets a redirect that keeps the method.
 */
export const uploadsNoTrailingSlash: Fix = {
  id: 'uploads-no-trailing-slash',
  title: 'An upload may be opened at /blobs/uploads, without the slash at the end',
  symptom: '301 to `/blobs/uploads/`, then 404 or 405',
  defaultMode: 'on',
  digest: 'unchanged',
  options: {
    answer: {
      values: ['auto', 'rewrite', 'redirect'],
      default: 'auto',
      description:
        'rewrite: open the upload at once; redirect: answer 308 with the slash; auto: redirect for curl, rewrite for others',
    },
  },
  request: (view, options) => {
    const { method, route, query } = view;
    if (method !== 'POST' || route.kind !== 'upload-start' || route.trailingSlash) return undefined;
    const corrected = { ...route, trailingSlash: true };
    if (options.answer === 'rewrite' || (options.answer !== 'redirect' && !isCurl(view))) {
      return { note: 'added the slash behind /blobs/uploads', route: corrected };
    }
    const location = `${formatRoute(corrected)}${query === '' ? '' : `?${query}`}`;
    return {
      note: 'answered 308 with the slash behind /blobs/uploads',
      reply: {
        status: 308,
        headers: [
          ['Docker-Distribution-Api-Version', 'registry/2.0'],
          ['Location', location],
          ['Content-Length', '0'],
        ],
      },
    };
  },
};

function isCurl({ clientHeaders }: RequestView): boolean {
  return headerValue(clientHeaders, 'User-Agent')?.toLowerCase().startsWith('curl/') === true;
}
