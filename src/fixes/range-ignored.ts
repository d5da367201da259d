import type { Fix } from './fix.ts';

/** docker-registry 2.8 as a pull-through cache sends cold blobs whole. The pipeline cuts the part out of what comes. */
export const rangeIgnored: Fix = {
  id: 'range-ignored',
  title: 'A part of a blob is a part, also where the registry sends the whole',
  symptom: '`expected HTTP 206 from byte range request`; `unhandled content range in response`',
  defaultMode: 'on',
  digest: 'unchanged',
};
