import { isInternalHost, isIpHost, isLoopbackHost } from './internal-address.ts';

/**
 * Where tokens may be asked for, or the end of a sentence that begins with "The token service". `elsewhere` is a service that
 * is wrong only in being somebody else's.
 */
export type RealmCheck = { readonly url: URL } | { readonly wrong: string; readonly elsewhere?: boolean };

/**
 * Decides whether credentials may be sent to the realm that a registry names. They may when it is the registry itself, a host of
 * the same site, or an origin that the operator listed: whoever can write into one answer of a registry must not be
 * able to collect passwords (CVE-2026-33540). A realm that only lacks the `s` of the registry's own `https` is that registry.
 * @param realm as the challenge has it
 * @param registry the origin of the registry
 * @param listed origins that the operator allows
 */
export function checkRealm(realm: string, registry: string, listed: readonly string[]): RealmCheck {
  const own = new URL(registry);
  const url = URL.parse(realm, registry);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return { wrong: 'is not an http or https URL' };
  url.hash = '';
  if (hasUser(url)) return { wrong: `${url.origin} comes with credentials in its URL` };
  if (url.origin === own.origin || listed.includes(url.origin)) return { url };
  if (own.protocol === 'https:' && url.protocol === 'http:') {
    if (url.hostname !== own.hostname) return { wrong: `${url.origin} is not encrypted, and the registry is` };
    return { url: new URL(own.origin + url.pathname + url.search) };
  }
  if (url.hostname === own.hostname) return { url };
  if (isInternalHost(url.hostname) && !isInternalHost(own.hostname)) {
    return { wrong: `${url.origin} is an internal address, and the registry is not` };
  }
  if (isSameSite(url.hostname, own.hostname)) return { url };
  return { wrong: `${url.origin} does not belong to the registry's site`, elsewhere: true };
}

/** Whether a realm has a name or a password in its URL. */
export function holdsCredentials(realm: string): boolean {
  const url = URL.parse(realm, 'http://registry.invalid');
  return url !== null && hasUser(url);
}

function hasUser({ username, password }: URL): boolean {
  return username !== '' || password !== '';
}

/** Whether two hosts of URLs belong to one owner, as far as their names tell. */
export function isOneSite(one: string, other: string): boolean {
  return one === other || isSameSite(one, other);
}

/** `auth.docker.io` and `registry-1.docker.io`; `gitlab.com` and `registry.gitlab.com`; all names of this very machine. */
function isSameSite(one: string, other: string): boolean {
  if (isLoopbackHost(one) && isLoopbackHost(other)) return true;
  if (isIpHost(one) || isIpHost(other)) return false;
  const site = siteOf(other);
  return site !== undefined && site === siteOf(one);
}

// Below these everybody can have a name. The whole list (publicsuffix.org) has ten thousand entries; registries live under few
// of them, and who is refused by mistake is told which key to set.
const SHARED = new Set(
  (
    'amazonaws.com azurecr.io azurewebsites.net cloudapp.net appspot.com run.app pkg.dev web.app firebaseapp.com github.io gitlab.io ' +
    'cloudfront.net herokuapp.com fly.dev vercel.app netlify.app pages.dev workers.dev ngrok.io ngrok.app ngrok-free.app ' +
    'trycloudflare.com duckdns.org dyndns.org no-ip.org nip.io sslip.io ondigitalocean.app digitaloceanspaces.com onrender.com railway.app ' +
    'jfrog.io ocir.io icr.io cr.aliyuncs.com aliyuncs.com myqcloud.com tencentcr.com ovh.net scw.cloud'
  ).split(' '),
);
const SECOND_LEVELS = new Set('ac co com edu gen go gob gov govt gv ltd me mil ne net nom or org plc sch'.split(' '));

/** The part of a name that one owner registered; undefined when nothing can be said. */
function siteOf(host: string): string | undefined {
  const labels = host.replace(/\.$/, '').split('.');
  const [second = '', top = ''] = labels.slice(-2);
  const ending = labels.findIndex((_, index) => SHARED.has(labels.slice(index).join('.')));
  const below = top.length === 2 && SECOND_LEVELS.has(second) ? labels.length - 2 : labels.length - 1;
  const start = (ending < 0 ? below : Math.min(below, ending)) - 1;
  return start < 0 ? undefined : labels.slice(start).join('.');
}
