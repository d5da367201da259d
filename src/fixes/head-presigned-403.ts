import type { Fix } from './fix.ts';

/** S3 signs the method together with the URL. The pipeline asks the storage for the first byte in place of HEAD. */
export const headPresigned403: Fix = {
  id: 'head-presigned-403',
  title: 'HEAD is answered where the storage behind the registry allows only GET',
  symptom: '403 for a HEAD of a blob that GET delivers',
  defaultMode: 'on',
  digest: 'unchanged',
};
