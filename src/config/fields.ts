import { isIP } from 'node:net';
import { z } from 'zod';
import { parseDigest } from '../domain/digest.ts';
import { parseImageReference } from '../domain/image-reference.ts';
import { parseRequestRate } from '../domain/limits.ts';
import { isPlatform } from '../domain/platform.ts';
import { parseRepositoryName } from '../domain/reference.ts';
import { parseRepositoryPattern } from '../domain/repository-policy.ts';
import { parseTagPattern } from '../domain/tag-policy.ts';
import { type HostPort, parseHostPort } from '../lib/address.ts';
import { DAY, parseDuration, parseSize } from '../lib/units.ts';

// The values that a configuration file is made of. `type` in the metadata is what the reference calls them.

/** A value written as text; `read` answers with what it means, or with the sentence that says what is wrong. */
function field<Value>(type: string, read: (written: unknown) => { value: Value } | { wrong: string }) {
  return z
    .unknown()
    .transform((written, context): Value => {
      const outcome = read(written);
      if ('value' in outcome) return outcome.value;
      context.issues.push({ code: 'custom', message: outcome.wrong, input: written });
      return z.NEVER;
    })
    .meta({ type });
}

/** A field whose only mistake is not to look as expected. */
export function parsed<Value>(type: string, expected: string, parse: (text: string) => Value | undefined) {
  return field<Value>(type, (written) => {
    const value = typeof written === 'string' ? parse(written) : undefined;
    return value === undefined ? { wrong: expectedInstead(expected, written) } : { value };
  });
}

/** `expected <what>, got <value>`, with the value shortened and without the password of a URL. */
export function expectedInstead(expected: string, written: unknown): string {
  if (written === undefined) return `required: ${expected}`;
  const shown = (JSON.stringify(written) ?? String(written)).replaceAll(/\/\/[^/@\s]*@/g, '//***@');
  return `expected ${expected}, got ${shown.length > 60 ? `${shown.slice(0, 57)}...` : shown}`;
}

export const size = () => parsed('size', 'a size such as 64MiB or 50GiB', parseSize);
/** A size that leaves room for a chunk of an upload, or for a few hundred lines of a log. */
export const bodySize = () =>
  parsed('size', 'a size of at least 64KiB', (written) => {
    const bytes = parseSize(written);
    return bytes !== undefined && bytes >= 65_536 ? bytes : undefined;
  });
/** A size that is moved in a second. Whoever turns something off thinks of 0 without a unit. */
export const rate = () =>
  field<number>('size per second', (written) => {
    if (written === 0 || written === '0') return { value: 0 };
    const value = typeof written === 'string' ? parseSize(written) : undefined;
    return value === undefined ? { wrong: expectedInstead('a size such as 20MiB, or 0', written) } : { value };
  });
/** A number of things, which the environment has as text. */
export const count = () =>
  field<number>('number', (written) => {
    const text = String(written);
    return /^[1-9]\d{0,5}$/.test(text)
      ? { value: Number(text) }
      : { wrong: expectedInstead('a whole number from 1 on', written) };
  });
/** A size that is moved in a second, without a way to stop everything. */
export const bandwidth = () =>
  parsed('size per second', 'a size of at least 1KiB, such as 100MiB', (written) => {
    const bytes = parseSize(written);
    return bytes !== undefined && bytes >= 1024 ? bytes : undefined;
  });
export const requestRate = () =>
  parsed('number of requests per time', 'a number of requests such as 50/s, 3000/m or 1000/h', parseRequestRate);
export const duration = () => parsed('time', 'a time such as 500ms, 60s or 7d', parseDuration);
/** A time that a timer can wait for. */
export const shortDuration = () =>
  parsed('time', 'a time of at most 1d, such as 30s', (text) => {
    const milliseconds = parseDuration(text);
    return milliseconds !== undefined && milliseconds <= DAY ? milliseconds : undefined;
  });
/** How long a token lasts: clients fetch one for each image, and take less than a minute for none. */
export const tokenLifetime = () =>
  parsed('time', 'a time from 1m to 1d, such as 5m', (text) => {
    const milliseconds = parseDuration(text);
    return milliseconds !== undefined && milliseconds >= 60_000 && milliseconds <= DAY ? milliseconds : undefined;
  });
/** How long a tag is believed: Infinity for `immutable`. */
export const tagLifetime = () =>
  parsed('time or immutable', 'a time such as 30s or 1h, or immutable', (text) =>
    text === 'immutable' ? Number.POSITIVE_INFINITY : parseDuration(text),
  );
export const address = () => parsed('HOST:PORT', 'HOST:PORT such as 127.0.0.1:5000 or [::1]:5000', parseHostPort);
export const text = (type: string) => parsed(type, `a ${type}`, (written) => (written === '' ? undefined : written));

/** An address, or `off` for no listener. YAML 1.1 habits make people write `false` as well. */
export const addressOrOff = () =>
  field<HostPort | 'off'>('HOST:PORT or off', (written) => {
    if (written === 'off' || written === false) return { value: 'off' };
    const value = typeof written === 'string' ? parseHostPort(written) : undefined;
    return value === undefined
      ? { wrong: expectedInstead('HOST:PORT such as 127.0.0.1:5080, or off', written) }
      : { value };
  });

/** A Host header field: a name or address, perhaps with a port. */
export const host = () => parsed('host name', 'a host name such as team.example.com, perhaps with a port', parseHost);

/** What stands in front of names of repositories. */
export const repositoryPrefix = () =>
  parsed('repository name', 'the first part of repository names, such as team or mirrors/hub', parseRepositoryName);

export const repositoryPattern = () =>
  parsed('pattern', 'a pattern of repository names such as team/app, team/* or team/**', parseRepositoryPattern);

export const tagPattern = () => parsed('pattern', 'a tag, or a pattern of tags such as 1.* or *', parseTagPattern);

export const digest = () => parsed('digest', 'a digest such as sha256: and 64 hexadecimal digits', parseDigest);

/** YAML gives booleans, the environment gives words. */
export const yesOrNo = () =>
  field<boolean>('true or false', (written) => {
    if (written === true || written === 'true') return { value: true };
    if (written === false || written === 'false') return { value: false };
    return { wrong: expectedInstead('true or false', written) };
  });

/** An IP address or a block of them. */
export const network = () =>
  parsed('IP address or CIDR block', 'an IP address or a block such as 10.0.0.0/8', parseNetwork);

/** A secret. The messages never repeat it. */
export const secret = (type: string) =>
  field<string>(type, (written) => {
    if (typeof written === 'number' || typeof written === 'boolean') return { wrong: 'must be text: put it in quotes' };
    return typeof written === 'string' && written !== '' ? { value: written } : { wrong: `expected a ${type}` };
  });

/** `none` or `passthrough`. The message does not repeat what may have been a password. */
export const borrowedRight = () =>
  field<'none' | 'passthrough'>('none, passthrough', (written) =>
    written === 'none' || written === 'passthrough'
      ? { value: written }
      : { wrong: 'expected none, passthrough, or a map such as { username: robot, passwordFile: /run/secrets/hub }' },
  );

/** Scheme, host and port of a server. */
export const origin = () =>
  parsed('origin', 'an origin such as https://auth.example.com', (text) => {
    const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null;
    return url !== null && url.href === `${url.origin}/` ? url.origin : undefined;
  });

/** The address of a registry. The messages never repeat it: it may hold a password. */
export const registryUrl = () =>
  field<string>('URL', (written) => {
    const url = typeof written === 'string' && /^https?:\/\//i.test(written) ? URL.parse(written) : null;
    if (url === null || typeof written !== 'string') {
      return { wrong: 'expected an http or https URL such as https://registry.example.com' };
    }
    if (url.username !== '' || url.password !== '') return { wrong: 'must not contain a user name or password' };
    if (written.includes('?')) return { wrong: 'must not contain a query' };
    if (written.includes('#')) return { wrong: 'must not contain a fragment' };
    const plain = url.href.replace(/\/+$/, '');
    if (/\/v[12]$/.test(url.pathname.replace(/\/+$/, '')))
      return { wrong: 'must not end in /v2: manifix adds that itself' };
    return { value: plain };
  });

/** The address of a proxy, which may hold a name and a password. The messages never repeat it. */
export const proxyUrl = () =>
  field<string>('URL', (written) => {
    const url = typeof written === 'string' && /^https?:\/\//i.test(written) ? URL.parse(written) : null;
    const isPlain = url !== null && url.pathname === '/' && url.search === '' && url.hash === '';
    if (url === null || !isPlain || !isDecodable(url.username + url.password))
      return { wrong: 'expected the URL of an HTTP proxy such as http://proxy.example.com:3128' };
    return { value: url.href };
  });

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Reads a Host header field as it is compared: in lower case. */
export function parseHost(written: string): string | undefined {
  const lower = written.toLowerCase();
  const named = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?(?::\d{1,5})?$/.test(lower);
  const sixth = /^\[[0-9a-f:.]+\](?::\d{1,5})?$/.test(lower);
  return named || sixth ? lower : undefined;
}

function parseNetwork(written: string): string | undefined {
  const [ip = '', prefix, ...rest] = written.split('/');
  const version = isIP(ip);
  if (version === 0 || rest.length > 0) return undefined;
  if (prefix === undefined) return written;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128) ? written : undefined;
}

export const imageReference = () =>
  parsed('image', 'an image such as library/alpine:3.20', (written) =>
    parseImageReference(written) === undefined ? undefined : written,
  );
export const platform = () =>
  parsed('platform', 'a platform such as linux/arm64', (written) => (isPlatform(written) ? written : undefined));

/** Who issues tokens. Plain http proves nothing about who answers, unless nothing but this machine is between. */
export const issuerUrl = () =>
  parsed('URL', 'an https URL such as https://issuer.example.com', (written) => {
    const url = /^https?:\/\//i.test(written) ? URL.parse(written) : null;
    if (url === null || url.username !== '' || url.password !== '' || /[?#]/.test(written)) return undefined;
    const isLocal = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname);
    return url.protocol === 'https:' || isLocal ? written : undefined;
  });

/** What a claim must be: one text or one of several; YAML makes numbers and booleans of some. */
export const claimPatterns = () =>
  field<readonly string[]>('text or list of texts', (written) => {
    const all: readonly unknown[] = Array.isArray(written) ? written : [written];
    const isPlain = all.length > 0 && all.every((one) => ['string', 'number', 'boolean'].includes(typeof one));
    return isPlain ? { value: all.map(String) } : { wrong: expectedInstead('a text or a list of texts', written) };
  });
