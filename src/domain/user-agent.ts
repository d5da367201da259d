/** Products that talk to registries, by what their User-Agent holds. The first match counts: libraries come last. */
const FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/\bcontainerd\//i, 'containerd'],
  [/\bbuildkit/i, 'buildkit'],
  [/\bbuildah\//i, 'buildah'],
  [/\b(?:libpod|podman)\//i, 'podman'],
  [/\bskopeo\//i, 'skopeo'],
  [/\bcri-o\//i, 'cri-o'],
  [/\bdocker(?:-client)?\//i, 'docker'],
  [/\bkaniko\//i, 'kaniko'],
  [/\bcosign\//i, 'cosign'],
  [/\bcrane\//i, 'crane'],
  [/\boras(?:-go)?\b/i, 'oras'],
  [/\bhelm\//i, 'helm'],
  [/\breg(?:client|ctl|sync)\b/i, 'regclient'],
  [/\bjib\b/i, 'jib'],
  [/\btrivy\b/i, 'trivy'],
  [/\brenovate\b/i, 'renovate'],
  [/\bwatchtower\b/i, 'watchtower'],
  [/\bgo-containerregistry\//i, 'go-containerregistry'],
  [/\bcontainers\//i, 'containers/image'],
  [/\bcurl\//i, 'curl'],
  [/\bwget\//i, 'wget'],
  [/\bpython/i, 'python'],
  [/\b(?:java|apache-httpclient|okhttp)\//i, 'java'],
  [/\bgo-http-client\//i, 'go'],
  [/\b(?:node|undici|axios)\b/i, 'node'],
  [/^mozilla\//i, 'browser'],
];

/** Longer ones are no product's. */
const READ_CHARACTERS = 512;

/** Which software a User-Agent stands for: a word of a closed list, so that it may label counters. */
export function clientFamily(userAgent: string | undefined): string {
  if (userAgent === undefined || userAgent.trim() === '') return 'none';
  const start = userAgent.slice(0, READ_CHARACTERS);
  return FAMILIES.find(([form]) => form.test(start))?.[1] ?? 'other';
}
