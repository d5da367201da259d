// Hosts as `URL.hostname` has them: decimal, octal and hexadecimal forms of IPv4 are normalised there, IPv6 is in brackets.

const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

// IANA's registries of special-purpose addresses: not globally reachable, or the metadata service of a cloud.
const INTERNAL_V4: readonly (readonly [network: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
];

/** Whether an IP address (without brackets) is one of this machine, this network, or otherwise not of the public internet. */
export function isInternalAddress(address: string): boolean {
  if (IPV4.test(address)) return INTERNAL_V4.some(([network, bits]) => within(address, network, bits));
  const words = wordsOf(address);
  const embedded = embeddedV4(words);
  if (embedded !== undefined) return isInternalAddress(embedded);
  const [first = 0] = words;
  const unspecifiedOrLoopback = words.slice(0, 7).every((word) => word === 0) && Number(words[7]) <= 1;
  const uniqueLocal = (first & 0xfe00) === 0xfc00;
  // fe80::/10 is link-local, fec0::/10 site-local, ff00::/8 multicast.
  return unspecifiedOrLoopback || uniqueLocal || first >= 0xfe80;
}

/** Whether a URL's host is an IP address. */
export function isIpHost(hostname: string): boolean {
  return hostname.startsWith('[') || IPV4.test(hostname);
}

/** The same of a URL's host. A name is internal when it can only mean this machine or this network. */
export function isInternalHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, '');
  if (isIpHost(host)) return isInternalAddress(host.replaceAll(/[[\]]/g, ''));
  return !host.includes('.') || /\.(?:localhost|local|internal|intranet|lan|home\.arpa)$/.test(host);
}

/** Whether a URL's host means this very machine. */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, '');
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    (IPV4.test(host) && host.startsWith('127.'))
  );
}

function within(address: string, network: string, bits: number): boolean {
  const shift = 2 ** (32 - bits);
  return Math.floor(numberOf(address) / shift) === Math.floor(numberOf(network) / shift);
}

function numberOf(address: string): number {
  return address.split('.').reduce((number, byte) => number * 256 + Number(byte), 0);
}

/** The eight words of an IPv6 address; a zone is of no matter. */
function wordsOf(address: string): readonly number[] {
  const dotted = /\d{1,3}(?:\.\d{1,3}){3}$/.exec(address)?.[0];
  const plain = dotted === undefined ? address : address.slice(0, -dotted.length) + hexadecimal(dotted);
  const [head = '', tail] = plain.replace(/%.*$/s, '').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].map((word) => Number.parseInt(word, 16));
}

function hexadecimal(dotted: string): string {
  const number = numberOf(dotted);
  return `${Math.floor(number / 65_536).toString(16)}:${(number % 65_536).toString(16)}`;
}

/** The IPv4 address inside ::ffff:0:0/96 (mapped), ::/96 (compatible), 64:ff9b::/96 (NAT64) and 2002::/16 (6to4). */
function embeddedV4(words: readonly number[]): string | undefined {
  const [first, second, third] = words;
  if (first === 0x2002) return dottedOf(Number(second), Number(third));
  const prefix = words.slice(0, 6).join(':');
  const translated = prefix === '0:0:0:0:0:65535' || prefix === `${0x64}:${0xff9b}:0:0:0:0`;
  const compatible = prefix === '0:0:0:0:0:0' && Number(words[6]) > 0;
  return translated || compatible ? dottedOf(Number(words[6]), Number(words[7])) : undefined;
}

function dottedOf(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
