import { formatHostPort } from './address.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EADDRINUSE: 'another program listens there already',
  EADDRNOTAVAIL: 'this machine has no such address',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'something else is in its place',
  EISDIR: 'is a directory',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'no such file or directory',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is not a directory',
  ENOTFOUND: 'no such host',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
};

/** Says in plain words why the operating system refused; other errors speak for themselves. */
export function describeSystemError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return REASONS[code] ?? error.message;
}

/** One sentence for a start that failed: which address or path could not be used, and why. */
export function describeStartFailure(error: unknown): string {
  const reason = describeSystemError(error);
  if (!(error instanceof Error) || reason === error.message) return reason;
  if ('address' in error && 'port' in error) {
    const place = formatHostPort({ host: String(error.address), port: Number(error.port) });
    return `cannot listen on ${place}: ${reason}`;
  }
  if ('hostname' in error) return `cannot listen on ${error.hostname}: ${reason}`;
  return 'path' in error ? `cannot use ${error.path}: ${reason}` : reason;
}
