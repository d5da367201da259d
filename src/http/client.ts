import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { credentialsIn } from '../domain/credentials.ts';
import type { HeaderList } from '../domain/headers.ts';
import { headerValue, headerValues } from '../domain/headers.ts';
import type { Caller, Endpoint } from '../pipeline/exchange.ts';
import { withoutStandIn } from './stand-in-tokens.ts';
import type { TokenMemory } from './token-memory.ts';

/** Says whether an address belongs to a proxy whose forwarding headers are believed. */
export type TrustCheck = (address: string | undefined) => boolean;

/** Builds the check from addresses and CIDR ranges, which the configuration has validated. */
export function trustCheck(ranges: readonly string[]): TrustCheck {
  const trusted = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(prefix), family);
  }
  return (address) => address !== undefined && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * `scheme://host:port` as the client sees manifix. A trusted proxy's X-Forwarded-Proto and X-Forwarded-Host count
 * (the first value of each), anybody else's do not.
 * @param host the client's Host
 */
export function clientOrigin(incoming: IncomingMessage, headers: HeaderList, host: string, trusts: TrustCheck): string {
  // `encrypted` exists on TLS sockets only.
  const encrypted = (incoming.socket as Partial<TLSSocket>).encrypted === true;
  const believed = trusts(incoming.socket.remoteAddress);
  const scheme = (believed ? firstValue(headers, 'X-Forwarded-Proto') : undefined) ?? (encrypted ? 'https' : 'http');
  const forwardedHost = believed ? firstValue(headers, 'X-Forwarded-Host') : undefined;
  return `${scheme.toLowerCase() === 'https' ? 'https' : 'http'}://${forwardedHost ?? host}`;
}

/**
 * Where a request comes from: the address that a trusted proxy says (X-Forwarded-For), or that of the last proxy that is not
 * trusted. What is left of it anybody can make up.
 */
export function clientAddress({ socket }: IncomingMessage, headers: HeaderList, trusts: TrustCheck): string {
  const way = headerValues(headers, 'X-Forwarded-For').flatMap((value) => value.split(','));
  let address = socket.remoteAddress ?? '';
  while (trusts(address)) {
    const before = addressIn(way.pop() ?? '');
    if (before === undefined) break;
    address = before;
  }
  return address;
}

/** Some proxies write a port behind it. */
function addressIn(written: string): string | undefined {
  const text = written.trim();
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  return isIP(bare) === 0 ? undefined : bare;
}

function firstValue(headers: HeaderList, name: string): string | undefined {
  const value = headerValue(headers, name)?.split(',')[0]?.trim();
  return value === '' ? undefined : value;
}

/** All who may use an endpoint whose registry is not asked in their names; they are one to the registry. */
const EVERYBODY: Caller = { identity: 'everybody', anonymous: true };

/** Who is asking, as far as it matters to the endpoint's registry. A token that everybody gets makes nobody somebody. */
export function callerAt(
  { upstream }: Endpoint,
  headers: HeaderList,
  query: string,
  { anonymous, standIns }: TokenMemory,
): Caller {
  if (upstream.authority === 'own') return EVERYBODY;
  const withoutToken = standIns.reason(upstream, headers);
  if (withoutToken !== undefined) return { ...callerOf(withoutStandIn(headers), query), withoutToken };
  const caller = callerOf(headers, query);
  const isNobody = parametersIn(query).length === 0 && anonymous.isAllOf(upstream.name, headers);
  return isNobody ? { ...caller, anonymous: true } : caller;
}

/**
 * Who is asking, told apart by their credentials without keeping them. Every field counts in which some registry takes one, and so
 * does the query: registries see both.
 */
export function callerOf(headers: HeaderList, query = ''): Caller {
  const shown = credentialsIn(headers).map(([name, value]) => [name.toLowerCase(), value]);
  const credentials = [...shown, ...parametersIn(query)];
  if (credentials.length === 0) return { identity: 'anonymous', anonymous: true };
  return { identity: hash('sha256', JSON.stringify(credentials), 'base64url'), anonymous: false };
}

/** Parameters that say which part of a list is wanted. */
const OF_LISTS = /^(?:artifactType|last|n)=/;

/** The parameters that may hold credentials. */
function parametersIn(query: string): readonly string[] {
  return query.split('&').filter((parameter) => parameter !== '' && !OF_LISTS.test(parameter));
}
