import { openTestStore } from '../store/support/test-store.ts';
import { blobStoreContract } from './blob-store.contract.ts';
import { factsContract } from './facts.contract.ts';
import { manifestStoreContract } from './manifest-store.contract.ts';

async function open() {
  const opened = await openTestStore();
  return { ...opened.store, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

blobStoreContract(open);
manifestStoreContract(open);
factsContract(open);
