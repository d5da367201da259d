import type { Files } from './files.ts';

/** An open file that several readers share. It is closed when the last one lets go; one that was unlinked can still be read. */
export interface SharedFile {
  readonly fd: number;
  /** Takes a share; the returned function gives it back, once. Not after the last share was given back. */
  hold(): () => void;
}

/** Shares a descriptor. The caller has the first share and gives it back with `release`. */
export function shareFile(files: Files, fd: number): { readonly file: SharedFile; readonly release: () => void } {
  let shares = 0;
  let isClosed = false;

  function hold(): () => void {
    if (isClosed) throw new Error('the file is closed');
    shares += 1;
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      shares -= 1;
      if (shares > 0) return;
      isClosed = true;
      // What was written is synced by now or will not be kept, so an error here says nothing that matters.
      files.close(fd).catch(() => undefined);
    };
  }

  return { file: { fd, hold }, release: hold() };
}
