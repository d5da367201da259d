import { exchange, type HttpAnswer } from './http.ts';
import { type SampleBlob, type SampleImage, sampleImages } from './images.ts';

/**
 * Pushes an image as the distribution specification asks for: blobs first, then children by digest, then the
 * top level by tag. @throws an error with the registry's answer when it refuses a step
 */
export async function pushImage(
  registryUrl: string,
  repository: string,
  tag: string,
  image: SampleImage,
  credentials: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const child of image.children) await pushImage(registryUrl, repository, child.digest, child, credentials);
  for (const blob of image.blobs) await pushBlob(registryUrl, repository, blob, credentials);
  const answer = await exchange(registryUrl, {
    method: 'PUT',
    target: `/v2/${repository}/manifests/${tag}`,
    headers: { ...credentials, 'Content-Type': image.mediaType },
    body: image.bytes,
  });
  expectStatus(answer, 201, `manifest ${repository}:${tag}`);
}

/** Pushes every sample image into one repository, each under its own name as tag. */
export async function pushSamples(registryUrl: string, repository: string): Promise<void> {
  for (const image of sampleImages()) await pushImage(registryUrl, repository, image.name, image);
}

async function pushBlob(
  registryUrl: string,
  repository: string,
  blob: SampleBlob,
  credentials: Readonly<Record<string, string>>,
): Promise<void> {
  const target = `/v2/${repository}/blobs/uploads/`;
  const session = await exchange(registryUrl, { method: 'POST', target, headers: credentials });
  expectStatus(session, 202, `upload session in ${repository}`);
  const location = new URL(session.header('Location') ?? '', registryUrl);
  location.searchParams.set('digest', blob.digest);
  const answer = await exchange(registryUrl, {
    method: 'PUT',
    target: `${location.pathname}${location.search}`,
    headers: { ...credentials, 'Content-Type': 'application/octet-stream' },
    body: blob.bytes,
  });
  expectStatus(answer, 201, `blob ${blob.digest}`);
}

function expectStatus(answer: HttpAnswer, status: number, what: string): void {
  if (answer.status === status) return;
  throw new Error(`the registry answered ${answer.status} instead of ${status} to ${what}: ${answer.body}`);
}
