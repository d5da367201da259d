/** docker clients and Go's http.Client stop at ten; a registry with storage behind it needs one or two. */
export const MAX_REDIRECTS = 5;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Whether a status names another place for the same request (RFC 9110, section 15.4). */
export function isRedirectStatus(status: number): boolean {
  return REDIRECTS.has(status);
}
