import type { Files } from '../../../src/store/files.ts';

export type FileCall = keyof Files;

export interface FaultyFiles extends Files {
  /** Names of all calls so far, in order. */
  readonly calls: readonly FileCall[];
}

/** Whether a call fails, by its name and its number (from 1), and with what. */
export type Fault = (call: FileCall, number: number) => string | undefined;

/** Passes every call on to `inner` but those for which `fault` names an errno. A failed call has no effect. */
export function createFaultyFiles(inner: Files, fault: Fault): FaultyFiles {
  const calls: FileCall[] = [];

  function refusal(call: FileCall): NodeJS.ErrnoException | undefined {
    calls.push(call);
    const code = fault(call, calls.length);
    return code === undefined ? undefined : Object.assign(new Error(`${code}: injected into ${call}`), { code });
  }

  function guarded<Parameters extends readonly unknown[], Result>(
    call: FileCall,
    action: (...parameters: Parameters) => Promise<Result>,
  ): (...parameters: Parameters) => Promise<Result> {
    return async (...parameters) => {
      const error = refusal(call);
      if (error !== undefined) throw error;
      return action(...parameters);
    };
  }

  return {
    calls,
    openForReading: guarded('openForReading', inner.openForReading),
    create: guarded('create', inner.create),
    // A descriptor is gone even when close(2) reports an error.
    close: async (fd) => {
      const error = refusal('close');
      await inner.close(fd);
      if (error !== undefined) throw error;
    },
    status: (fd) => {
      const error = refusal('status');
      if (error !== undefined) throw error;
      return inner.status(fd);
    },
    statusOf: guarded('statusOf', inner.statusOf),
    read: (fd, buffer, length, position, done) => {
      const error = refusal('read');
      if (error !== undefined) setImmediate(done, error, 0);
      else inner.read(fd, buffer, length, position, done);
    },
    write: guarded('write', inner.write),
    syncData: guarded('syncData', inner.syncData),
    syncDirectory: guarded('syncDirectory', inner.syncDirectory),
    rename: guarded('rename', inner.rename),
    remove: guarded('remove', inner.remove),
    makeDirectory: guarded('makeDirectory', inner.makeDirectory),
    list: guarded('list', inner.list),
  };
}
