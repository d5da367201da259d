import type { AuthenticationSettings } from '../domain/authentication.ts';
import type { ContentRules } from '../domain/content-policy.ts';
import type { UpstreamCredentials } from '../domain/credentials.ts';
import type { HttpProxy } from '../domain/http-proxy.ts';
import type { EndpointLimits } from '../domain/limits.ts';
import type { RepositoryPattern } from '../domain/repository-policy.ts';
import type { Groups, RightsRule } from '../domain/rights.ts';
import type { TagRule } from '../domain/tag-policy.ts';
import type { ChosenProfile } from '../fixes/profiles.ts';
import type { FixSetting } from '../fixes/run.ts';
import type { HostPort } from '../lib/address.ts';
import type { ServerTlsFiles, TlsIdentities } from '../lib/certificate.ts';

export const upstreamKinds = ['generic', 'dockerhub', 'gitlab'] as const;
/** Which registry software answers, where that matters. */
export type UpstreamKind = (typeof upstreamKinds)[number];

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export const logFormats = ['auto', 'json', 'pretty'] as const;
/** `auto` is `pretty` on a terminal and `json` elsewhere. */
export type LogFormat = (typeof logFormats)[number];

/** How long a registry is waited for, in milliseconds. */
export interface UpstreamTimeouts {
  readonly connect: number;
  readonly headers: number;
  readonly stall: number;
  readonly revalidate: number;
  readonly change: number;
}

/** A registry that manifix talks to. */
export interface UpstreamConfig {
  /** http or https, perhaps with a path in front of `/v2/`; no credentials, query, fragment or trailing slash. */
  readonly url: string;
  /** Where reads go while nobody answers there, in order. */
  readonly fallbacks?: readonly string[];
  readonly timeouts: UpstreamTimeouts;
  readonly kind: UpstreamKind;
  readonly limits?:
    | {
        /** In bytes. */
        readonly maxRequestBody?: number | undefined;
        /** Reads at one time. */
        readonly concurrency?: number | undefined;
        /** Reads in a second. */
        readonly rate?: number | undefined;
      }
    | undefined;
  /** Secrets that are in files or in the environment were read when the configuration was. */
  readonly credentials: UpstreamCredentials;
  /** Read when the configuration was; undefined where nothing but Node's own trust counts. */
  readonly tls?: TlsIdentities | undefined;
  /** Where the key in `tls` was read. */
  readonly keyFile?: string;
  /** What all connections for its sake go through. */
  readonly proxy?: HttpProxy | undefined;
  /** Origins, besides the registry's own site, that may be its token service. */
  readonly realms: readonly string[];
  /** Hosts to which it may redirect although they are internal. */
  readonly redirects: readonly string[];
}

/** How long what is known of tags is believed; times in milliseconds. */
export interface TagSettings {
  readonly tagTtl: number;
  /** For single tags and patterns, instead of `tagTtl`. */
  readonly tags: readonly TagRule[];
  readonly staleWhileRevalidate: number;
  readonly staleFor: number;
  readonly notFoundTtl: number;
}

export const challenges = ['bearer', 'basic'] as const;

/** How clients log in. */
export interface LoginSettings {
  readonly challenge: (typeof challenges)[number];
  /** How long manifix's own tokens last, in milliseconds. */
  readonly tokenTtl: number;
}

/** What clients talk to. */
export interface EndpointConfig {
  readonly name: string;
  /** A key of `upstreams`. */
  readonly upstream: string;
  /** The Host header field that selects this endpoint, in lower case, perhaps with a port. */
  readonly host?: string;
  /** What the names of repositories begin with for its clients, without the slash behind it. */
  readonly prefix?: string;
  /** The registries for whose images its clients ask with `ns=`, in lower case. */
  readonly ns: readonly string[];
  /** Whether it takes all requests that no other endpoint claims. */
  readonly isDefault: boolean;
  /** The repositories that it serves, by the upstream's names. */
  readonly repositories: { readonly allow: readonly RepositoryPattern[]; readonly deny: readonly RepositoryPattern[] };
  /** How its clients show who they are; undefined where that is not asked. */
  readonly auth?: AuthenticationSettings;
  /** How they log in; there whenever `auth` is. */
  readonly login?: LoginSettings;
  /** In order; the first that matches decides. Of no effect where clients are not asked who they are. */
  readonly rights: readonly RightsRule[];
  readonly readOnly: boolean;
  /** Tags that are pinned, content that is refused, tags that cool down. */
  readonly content: ContentRules;
  /** The global settings with its own over them. */
  readonly cache: TagSettings;
  readonly limits: EndpointLimits;
  readonly profile: ChosenProfile;
  /** The setting of every fix there is: its default, then the profile's, then the global one, then the endpoint's own. */
  readonly fixes: Readonly<Record<string, FixSetting>>;
}

/** Everything an operator can set, complete and consistent. */
export interface Config {
  readonly listen: HostPort;
  /** The files of the certificate to listen with; without them clients speak plain HTTP. */
  readonly tls: ServerTlsFiles | undefined;
  readonly admin: { readonly listen: HostPort } | undefined;
  readonly cache: TagSettings & {
    /** As written: absolute, or relative to the working directory. */
    readonly dir: string;
    /** In bytes. */
    readonly maxSize: number;
    /** In bytes per second; 0 is off. */
    readonly scrubRate: number;
  };
  readonly upstreams: Readonly<Record<string, UpstreamConfig>>;
  /** Groups of users. */
  readonly groups: Groups;
  /** At least one; names, hosts, prefixes and namespaces differ, and at most one is the default. */
  readonly endpoints: readonly EndpointConfig[];
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** Undefined for none. `maxSize` is in bytes; `keep` is how many renamed files stay. */
  readonly audit: { readonly file: string; readonly maxSize: number; readonly keep: number } | undefined;
  /** `keep` in milliseconds; `top` names of an endpoint and a day are told apart. */
  readonly usage: { readonly keep: number; readonly top: number };
  /** IP addresses and CIDR blocks. */
  readonly trustedProxies: readonly string[];
  /** What `manifix warm` pulls when nothing is named. */
  readonly warm: readonly { readonly reference: string; readonly platforms: readonly string[] }[];
  /** In milliseconds. */
  readonly drainTimeout: number;
}
