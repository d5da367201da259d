import { totalmem } from 'node:os';

/** Bytes of memory that this process may use: those of its control group, otherwise those of the machine. */
export function memoryLimit(): number {
  // 0 says that nobody knows; a group without a limit tells a number beyond all memory.
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
