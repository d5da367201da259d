import { type FlagValues, type Place, readPlace } from './flags.ts';

/** What is to be done with a tag, of which manifix, and how the outcome is told. */
export interface TagRequest {
  readonly place: Pick<Place, 'config' | 'admin'>;
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
  const place = readPlace(flags);
  if ('mistake' in place) return place;
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
