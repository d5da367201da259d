import type { Login, UpstreamCredentials } from '../domain/credentials.ts';
import { systemClock } from '../lib/clock.ts';
import { askHelper } from './credential-helper.ts';

/** Where manifix's own login at a registry comes from. */
export interface Logins {
  /** The login of now; undefined when there is none, because the registry is asked as nobody. */
  current(): Promise<Login | undefined>;
  /** The registry did not take this login: the next one is asked for anew, where it can have changed. */
  refused(login: Login | undefined): void;
}

/** Cloud helpers give out passwords that last from 15 minutes to 12 hours, and do not say so. */
const HELPER_TTL = 5 * 60_000;

/** A login that stays the same, or that of a helper, which is asked again every few minutes. */
export function createLogins(credentials: UpstreamCredentials, now: () => number = systemClock.now): Logins {
  if (credentials.kind !== 'helper') {
    const login = credentials.kind === 'login' ? credentials : undefined;
    return { current: async () => login, refused: () => {} };
  }
  let known: { readonly login: Login; readonly until: number } | undefined;
  let asking: Promise<Login> | undefined;
  const ask = async (): Promise<Login> => {
    try {
      const login = await askHelper(credentials);
      known = { login, until: now() + HELPER_TTL };
      return login;
    } catch (error) {
      // An old password is worth a try while the program has its troubles.
      if (known === undefined) throw error;
      return known.login;
    } finally {
      asking = undefined;
    }
  };
  return {
    async current() {
      if (known !== undefined && now() < known.until) return known.login;
      asking ??= ask();
      return asking;
    },
    refused(login) {
      if (known?.login === login) known = undefined;
    },
  };
}
