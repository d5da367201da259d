import { digestOf } from '../../src/domain/digest.ts';
import type { HeaderList } from '../../src/domain/headers.ts';
import { type FakeAnswer, registryHeaders } from '../support/fake-upstream.ts';
import { createScene, type Scene } from '../support/scene.ts';

export const bytes = Buffer.from('a layer that is not very long');
export const digest = digestOf(bytes);
export const path = `/v2/team/app/blobs/${digest}`;
const headers = registryHeaders(digest, bytes, 'application/octet-stream');
export const content: FakeAnswer = { status: 200, headers, body: bytes };
export const credentials = (password: string): HeaderList => [['Authorization', password]];
export const alice = credentials('Basic YTph');
export const bob = credentials('Basic Yjpi');

/** A scene whose registry has the blob and gives it to anybody. */
export function blobScene(): Scene {
  const scene = createScene();
  scene.upstream.on('GET HEAD', path, content);
  return scene;
}
