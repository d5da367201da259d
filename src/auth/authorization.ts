/** What a client wrote into `Authorization`. */
export type Credentials =
  | { readonly scheme: 'basic'; readonly user: string; readonly password: string }
  | { readonly scheme: 'bearer'; readonly token: string };

const FIELD = /^([A-Za-z]+) +([A-Za-z0-9\-._~+/]+=*) *$/;

/** Reads the field (RFC 7617, RFC 6750); undefined for another scheme and for what is none. */
export function parseAuthorization(text: string): Credentials | undefined {
  const [, scheme = '', value = ''] = FIELD.exec(text) ?? [];
  if (scheme.toLowerCase() === 'bearer') return { scheme: 'bearer', token: value };
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const pair = Buffer.from(value, 'base64').toString();
  const end = pair.indexOf(':');
  return end < 0 ? undefined : { scheme: 'basic', user: pair.slice(0, end), password: pair.slice(end + 1) };
}
