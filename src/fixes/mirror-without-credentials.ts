import type { Fix } from './fix.ts';

/** dockerd has no credentials for a registry-mirror, and gives it up when it is asked for some (moby/moby#30880). */
export const mirrorWithoutCredentials: Fix = {
  id: 'mirror-without-credentials',
  title: 'A mirror with credentials of its own tells its clients itself that they need none',
  symptom: '`Attempting next endpoint for pull after error: ... no basic auth credentials`',
  defaultMode: 'off',
  digest: 'unchanged',
  request: ({ method, route, accountOf }) => {
    if (accountOf === undefined || route.kind !== 'base' || (method !== 'GET' && method !== 'HEAD')) return undefined;
    return {
      note: 'answered for the registry that clients need no credentials',
      reply: {
        status: 200,
        headers: [
          ['Docker-Distribution-Api-Version', 'registry/2.0'],
          ['Content-Length', '0'],
        ],
      },
    };
  },
};
