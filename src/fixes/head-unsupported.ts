import type { Fix } from './fix.ts';

/** Nexus and others know HEAD badly. The pipeline asks by GET in its place, once a HEAD was refused that might be meant. */
export const headUnsupported: Fix = {
  id: 'head-unsupported',
  title: 'HEAD is answered at registries that do not know it',
  symptom: '`unexpected status code 405` or 404 for a HEAD of what GET finds',
  defaultMode: 'on',
  trigger: 'proven-defect',
  digest: 'unchanged',
};
