import type { Digest } from '../domain/digest.ts';
import type { ResponseView } from './fix.ts';

/** The digest of the blob that an answer is about, when it carries or describes one. */
export function answeredBlob(view: ResponseView): Digest | undefined {
  const { method, route } = view.request;
  if (route.kind !== 'blob' || (method !== 'GET' && method !== 'HEAD')) return undefined;
  return view.status === 200 || view.status === 206 ? route.digest : undefined;
}
