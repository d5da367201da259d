import { parseReference, parseRepositoryName, type Reference, type RepositoryName } from './reference.ts';

/** An image as people name it: `alpine`, `team/app:1.2`, `registry.example.com:5000/app@sha256:...`. */
export interface ImageReference {
  readonly host?: string;
  readonly repository: RepositoryName;
  /** The digest, when both are given; the tag `latest`, when neither is. */
  readonly reference: Reference;
}

/** Reads `[HOST[:PORT]/]NAME[:TAG][@DIGEST]`; undefined when it is none. As with docker, a host has a dot or a port, or is localhost. */
export function parseImageReference(text: string): ImageReference | undefined {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const hasHost = /[.:]/.test(first) || first === 'localhost';
  const parts: { name?: string; tag?: string; digest?: string } | undefined =
    /^(?<name>[^:@]*)(?::(?<tag>[^@]*))?(?:@(?<digest>.*))?$/s.exec(hasHost ? text.slice(slash + 1) : text)?.groups;
  const { name = '', tag = 'latest', digest } = { ...parts };
  const repository = parseRepositoryName(name);
  const reference = parseReference(digest ?? tag);
  if (repository === undefined || reference === undefined) return undefined;
  return { ...(hasHost ? { host: first.toLowerCase() } : {}), repository, reference };
}

/** Whether a user name, perhaps with a password, stands in front of the host (RFC 3986, section 3.2.1), as in no reference. */
export function namesUser(text: string): boolean {
  return /^(?:https?:)?\/\/[^/?#]*@|^[^/@]*@[^/]*\//i.test(text);
}

/** What was written as a reference and is none, as it may be told: without what may be a password, or a query with tokens. */
export function tellable(text: string): string {
  const behindUser = text.replace(/^.*@(?!sha\d+:)/s, '...@');
  return behindUser.split(/[?#]/, 1).join();
}
