import type { Fix } from './fix.ts';

/** docker-registry and GitLab serve OCI types to those only who name them. The pipeline asks again for every type. */
export const acceptNamedType404Retry: Fix = {
  id: 'accept-named-type-404-retry',
  title: 'What a registry hides from a client that names other types is asked for again with all types',
  symptom: '404 `accept header does not support OCI manifests`, or 406, to a client that names one type',
  defaultMode: 'on',
  trigger: 'proven-defect',
  digest: 'unchanged',
};

const REFUSED_FOR_ACCEPT = /accept header does not support|not acceptable/i;

/** Whether a refusal says that the content is there and its type was not named. */
export function isRefusedForAccept(status: number, text: string): boolean {
  return (status === 404 || status === 406) && REFUSED_FOR_ACCEPT.test(text);
}
