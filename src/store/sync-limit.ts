import { createSlots } from '../lib/slots.ts';
import type { Files } from './files.ts';

// Node's thread pool has four threads unless told otherwise, and a sync of a large file holds one for seconds.
const SYNCS_AT_ONCE = 2;

/** The same files, but syncs of data wait for each other, so that reading for clients always finds a thread. */
export function limitSyncs(files: Files): Files {
  const slots = createSlots(SYNCS_AT_ONCE);
  return {
    ...files,
    async syncData(fd) {
      const free = await slots.acquire();
      try {
        await files.syncData(fd);
      } finally {
        free();
      }
    },
  };
}
