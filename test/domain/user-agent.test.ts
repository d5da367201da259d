import { expect, it } from 'vitest';
import { clientFamily } from '../../src/domain/user-agent.ts';

it.each([
  ['containerd/1.6.20~ds1', 'containerd'],
  [
    'docker/20.10.24+dfsg1 go/go1.19.8 git-commit/5d6db84 kernel/6.1 os/linux arch/amd64 UpstreamClient(Docker-Client/20.10.24)',
    'docker',
  ],
  ['skopeo/1.9.3', 'skopeo'],
  ['libpod/4.3.1', 'podman'],
  ['Buildah/1.28.2', 'buildah'],
  ['buildkit/v0.12', 'buildkit'],
  ['crane/0.20.2 go-containerregistry/0.20.2', 'crane'],
  ['go-containerregistry/v0.8.0', 'go-containerregistry'],
  ['curl/7.88.1', 'curl'],
  ['Java/17.0.1', 'java'],
  ['python-requests/2.28.1', 'python'],
  ['Mozilla/5.0 (X11; Linux x86_64)', 'browser'],
  ['my-own-script', 'other'],
  ['  ', 'none'],
  [undefined, 'none'],
  [`${'x'.repeat(600)}curl/1`, 'other'],
])('takes %j for %s', (userAgent, family) => {
  expect(clientFamily(userAgent)).toBe(family);
});
