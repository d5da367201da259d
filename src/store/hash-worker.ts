import { parentPort } from 'node:worker_threads';
import { createDigester, type Digester } from '../domain/digest.ts';
import type { HashReply, HashRequest } from './hash-thread.ts';

// The thread that hashes for all fills. It keeps one digester for each job and answers each update with how far it is.

const digesters = new Map<number, Digester>();

parentPort?.on('message', (request: HashRequest) => {
  const reply = answer(request);
  if (reply !== undefined) parentPort?.postMessage(reply);
});

function answer(request: HashRequest): HashReply | undefined {
  const { job } = request;
  switch (request.kind) {
    case 'start':
      digesters.set(job, createDigester(request.algorithm));
      return undefined;
    case 'update':
      for (const piece of request.pieces) digesters.get(job)?.update(piece);
      return { job, hashed: request.pieces.reduce((sum, { length }) => sum + length, 0) };
    case 'digest': {
      const digest = digesters.get(job)?.digest();
      digesters.delete(job);
      return digest === undefined ? undefined : { job, digest };
    }
    case 'cancel':
      digesters.delete(job);
      return undefined;
  }
}
