import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { CanonicalManifest, ManifestStore } from '../../src/store/types.ts';

export interface OpenedManifestStore extends AsyncDisposable {
  readonly manifests: ManifestStore;
}

/** A manifest with header fields of its own. */
export function manifestOf(text: string): CanonicalManifest {
  const bytes = Buffer.from(text);
  return { digest: digestOf(bytes), bytes, headers: [['Content-Type', 'application/json']] };
}

/** What every manifest store promises. */
export function manifestStoreContract(open: () => Promise<OpenedManifestStore>): void {
  describe('a manifest store', () => {
    it('gives back bytes and header fields as they came', async () => {
      await using opened = await open();
      const manifest = manifestOf('{"schemaVersion":2}');
      expect(await opened.manifests.get(manifest.digest)).toBeUndefined();
      expect(await opened.manifests.put(manifest)).toBe(true);
      expect(await opened.manifests.get(manifest.digest)).toEqual(manifest);
    });

    it('keeps the header fields that came first', async () => {
      await using opened = await open();
      const manifest = manifestOf('{}');
      await opened.manifests.put(manifest);
      expect(await opened.manifests.put({ ...manifest, headers: [['Content-Type', 'text/html']] })).toBe(true);
      expect(await opened.manifests.get(manifest.digest)).toEqual(manifest);
    });

    it('takes an empty document', async () => {
      await using opened = await open();
      const manifest = manifestOf('');
      expect(await opened.manifests.put(manifest)).toBe(true);
      expect(await opened.manifests.get(manifest.digest)).toEqual(manifest);
    });

    it('refuses bytes that are not those of the digest', async () => {
      await using opened = await open();
      const wrong = { ...manifestOf('{}'), bytes: Buffer.from('{ }') };
      await expect(opened.manifests.put(wrong)).rejects.toThrow('these bytes are not sha256:');
      expect(await opened.manifests.get(wrong.digest)).toBeUndefined();
    });
  });
}
