import { digestOf } from '../../src/domain/digest.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { manifestTypes, mediaTypes, sampleImage } from '../support/images.ts';
import { createScene, type Scene } from '../support/scene.ts';
import { digest, repositoryName } from '../support/views.ts';

/** An index without mediaType, as the registry has it. */
export const original = sampleImage('index-nomt');
export const d0 = digest(original.digest);

/** What manifix makes of it. */
export const derivedBytes = Buffer.from(`{"mediaType":"${mediaTypes.ociIndex}",${original.bytes.toString().slice(1)}`);
export const d1 = digestOf(derivedBytes);

export const repository = repositoryName('team/app');
export const byTag = '/v2/team/app/manifests/latest';
export const everyType: HeaderList = [['Accept', manifestTypes.join(', ')]];

/** A scene whose registry has the index under the tag. */
export function indexScene(options?: Parameters<typeof createScene>[0]): Scene {
  const scene = createScene(options);
  scene.upstream.serve('team/app', 'latest', original.bytes, original.mediaType);
  return scene;
}
