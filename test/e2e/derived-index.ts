import { expect } from 'vitest';
import { exchange, type HttpAnswer } from '../support/http.ts';
import { manifestTypes, mediaTypes, sampleImage, sha256 } from '../support/images.ts';
import { essenceWithTag } from './answers.ts';

/** An index without `mediaType`, from which manifix derives the next. */
export const image = sampleImage('index-nomt');
export const derivedBytes = Buffer.from(image.bytes.toString().replace('{', `{"mediaType":"${mediaTypes.ociIndex}",`));
export const derived = sha256(derivedBytes);

export const accept = { Accept: manifestTypes.join(', ') };

/** Asks for a manifest of `team/app`. */
export function askForManifest(
  url: string,
  reference: string,
  method = 'GET',
  headers: Record<string, string> = {},
): Promise<HttpAnswer> {
  const target = `/v2/team/app/manifests/${reference}`;
  return exchange(url, { method, target, headers: { ...accept, ...headers } });
}

/** Expects the derived index from HEAD and GET. */
export async function expectDerived(url: string, reference: string): Promise<void> {
  for (const method of ['HEAD', 'GET']) {
    expect(essenceWithTag(await askForManifest(url, reference, method)), `${method} ${reference}`).toEqual({
      status: 200,
      type: mediaTypes.ociIndex,
      length: String(derivedBytes.length),
      digest: derived,
      entityTag: `"${derived}"`,
      body: method === 'GET' ? derivedBytes.toString('base64') : '',
    });
  }
}
