import type { NotDone } from './fix.ts';

/** Known defects that manifix leaves alone on purpose. */
export const NOT_DONE: readonly NotDone[] = [
  {
    id: 'foreign-layers',
    symptom: 'Nodes without internet fail on layers with `urls`, which clients fetch from third parties first',
    reason:
      'The list of addresses is part of the manifest, whose bytes stay as they are. Push the layers to the registry: the address there works through manifix.',
  },
  {
    id: 'zstd-layers',
    symptom: 'Old engines cannot unpack layers of type `tar+zstd`',
    reason:
      'Another compression is another digest for every layer and every manifest above it. Build with gzip where old engines pull.',
  },
  {
    id: 'encoded-upload-ids',
    symptom: '`NAME_INVALID` for a Location whose upload id holds `%25`, `%2F` or `%5C`',
    reason:
      'Servers decode such paths in different ways, which is how checks are passed by; they are refused everywhere, and no registry is known to use them.',
  },
];
