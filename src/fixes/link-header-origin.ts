import { type HeaderList, headerValue } from '../domain/headers.ts';
import { formatRoute } from '../domain/route-path.ts';
import type { Fix, ResponseView } from './fix.ts';
import { parseLinks } from './link.ts';
import { parseLocation } from './location.ts';

const UNQUOTED_NEXT = /;\s*rel\s*=\s*next\s*(?=;|$)/gi;

/** Clients refuse a next page on another host, and cannot reach the registry's internal one. */
export const linkHeaderOrigin: Fix = {
  id: 'link-header-origin',
  title: 'The Link to the next page of a list is a path on manifix',
  symptom: 'A list ends after its first page: `pagination URL host does not match registry host`',
  defaultMode: 'on',
  digest: 'unchanged',
  response: (view) => {
    const { kind } = view.request.route;
    if (kind !== 'catalog' && kind !== 'tags' && kind !== 'referrers') return undefined;
    if (headerValue(view.headers, 'Link') === undefined) return undefined;
    const headers = view.headers.flatMap((field) =>
      field[0].toLowerCase() === 'link' ? correctedField(view, field) : [field],
    );
    const isSame =
      headers.length === view.headers.length && headers.every((field, at) => field[1] === view.headers[at]?.[1]);
    return isSame ? undefined : { note: 'Link leads back through manifix', headers };
  },
};

/** The field with its links corrected; no field when no link is left. */
function correctedField(view: ResponseView, field: HeaderList[number]): HeaderList {
  const [name, value] = field;
  const links = parseLinks(value);
  if (links === undefined) return [field];
  const corrected = links.flatMap(({ target, parameters }) =>
    target === ''
      ? []
      : [`<${clientPath(view, target)}>${parameters.replace(UNQUOTED_NEXT, '; rel="next"').trimEnd()}`],
  );
  return corrected.length === 0 ? [] : [[name, corrected.join(', ')]];
}

/** The path and query of a page, from `/v2/` on; a target that is elsewhere stays. */
function clientPath({ sent, upstreamOrigin }: ResponseView, target: string): string {
  const { path } = parseLocation(target, upstreamOrigin, formatRoute(sent.route));
  const at = path.split('?', 1).join().indexOf('/v2/');
  return at < 0 ? target : path.slice(at);
}
