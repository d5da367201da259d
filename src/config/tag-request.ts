import { parseHostPort } from '../lib/address.ts';
import type { FlagValues } from './cache-request.ts';
import type { ConfigFlags } from './load.ts';

/** What is to be done with a tag, of which manifix, and how the outcome is told. */
export interface TagRequest {
  readonly place: Pick<ConfigFlags, 'config' | 'admin'>;
  readonly json: boolean;
  readonly reference: string;
  readonly work:
    | { readonly action: 'history' }
    | { readonly action: 'pin'; readonly digest: string; readonly note: string | undefined }
    | { readonly action: 'unpin' }
    | { readonly action: 'rollback'; readonly to: string | undefined };
}

/** Reads the arguments of a tag command, or says what is wrong with them. */
export function readTagRequest(
  action: TagRequest['work']['action'],
  flags: FlagValues,
  [reference = '', digest = '']: readonly string[],
): { readonly request: TagRequest } | { readonly mistake: string } {
  const [config, admin] = [flags.get('config'), flags.get('admin')];
  if (admin !== undefined && parseHostPort(admin) === undefined) {
    return { mistake: `--admin: expected HOST:PORT, got "${admin}"` };
  }
  const place = { ...(config === undefined ? {} : { config }), ...(admin === undefined ? {} : { admin }) };
  const common = { place, json: flags.has('json'), reference };
  switch (action) {
    case 'history':
    case 'unpin':
      return { request: { ...common, work: { action } } };
    case 'pin':
      return { request: { ...common, work: { action, digest, note: flags.get('note') } } };
    case 'rollback':
      return { request: { ...common, work: { action, to: flags.get('to') } } };
  }
}
