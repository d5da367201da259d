import { isIPv6 } from 'node:net';

/** Where a listener listens. `host` is a name or an IP address, IPv6 without brackets; port 0 means any free one. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Reads `127.0.0.1:5000`, `localhost:5000` or `[::1]:5000`; undefined when host or port is missing or impossible. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[(?<six>[0-9A-Fa-f:.]+)\]|(?<host>[A-Za-z0-9._-]+)):(?<port>\d{1,5})$/.exec(text);
  if (match?.groups === undefined) return undefined;
  const { six, host, port } = match.groups;
  if (Number(port) > 65_535) return undefined;
  if (six !== undefined) return isIPv6(six) ? { host: six, port: Number(port) } : undefined;
  return host === undefined ? undefined : { host, port: Number(port) };
}

/** Writes an address as a URL's authority: `[::1]:5000`. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
