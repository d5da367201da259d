import type { Fix } from './fix.ts';

/** Carried out at the edge, where clients' names become the upstream's; for upstreams of kind `dockerhub` only. */
export const libraryPrefix: Fix = {
  id: 'library-prefix',
  title: 'A Docker Hub name of one component means the official image below library/',
  symptom: '401 or 404 for `alpine` through a proxy of the Docker Hub, while `library/alpine` works',
  defaultMode: 'on',
  digest: 'unchanged',
};
