import { IMAGE_CLIENTS, type ImageClientName, isImageClient } from '../domain/image-clients.ts';
import { didYouMean } from '../lib/nearest.ts';
import { parseDuration } from '../lib/units.ts';
import { addressMistake, type FlagValues, type Place, readPlace } from './flags.ts';

/** A question to a running manifix: where it is, what is asked and how the answer is told. */
export interface AskRequest {
  /** Its configuration, or its admin listener without one. */
  readonly place: Pick<Place, 'config' | 'admin'>;
  readonly json: boolean;
  readonly work:
    | { readonly action: 'explain'; readonly reference: string; readonly as: ImageClientName | undefined }
    | { readonly action: 'resolve'; readonly reference: string }
    | { readonly action: 'report'; readonly top: number }
    | { readonly action: 'drill'; readonly since: string; readonly fill: DrillFill | undefined };
}

/** Where what is missing is pulled, when the configuration does not say it. */
interface DrillFill {
  readonly listen: string | undefined;
}

const DEFAULT_TOP = '20';
const TOP_FORM = /^(?:[1-9]\d{0,2}|1000)$/;
const DEFAULT_SINCE = '30d';

/** Reads the arguments of a command that asks a running manifix, or says what is wrong with them. */
export function readAskRequest(
  action: AskRequest['work']['action'],
  flags: FlagValues,
  [reference = '']: readonly string[],
): { readonly request: AskRequest } | { readonly mistake: string } {
  const place = readPlace(flags);
  if ('mistake' in place) return place;
  const common = { place, json: flags.has('json') };
  if (action === 'report') {
    const top = flags.get('top') ?? DEFAULT_TOP;
    if (!TOP_FORM.test(top)) return { mistake: `--top: expected a number from 1 to 1000, got "${top}"` };
    return { request: { ...common, work: { action, top: Number(top) } } };
  }
  if (action === 'drill') {
    const since = flags.get('since') ?? DEFAULT_SINCE;
    if (parseDuration(since) === undefined) {
      return { mistake: `--since: expected a time such as 12h or 30d, got "${since}"` };
    }
    const listen = flags.get('listen');
    const mistake = addressMistake(flags, 'listen');
    if (mistake !== undefined) return { mistake };
    // The file that would be read by default may be that of another manifix.
    if (flags.has('fill') && listen === undefined && place.admin !== undefined && place.config === undefined) {
      return { mistake: '--fill with --admin needs --listen HOST:PORT, where clients of that manifix connect' };
    }
    const fill = flags.has('fill') ? { listen } : undefined;
    return { request: { ...common, work: { action, since, fill } } };
  }
  if (action === 'resolve') return { request: { ...common, work: { action, reference } } };
  const as = flags.get('as');
  if (as !== undefined && !isImageClient(as)) {
    const mistake = `--as: expected ${IMAGE_CLIENTS.join(', ')}, got "${as}"${didYouMean(as, IMAGE_CLIENTS)}`;
    return { mistake };
  }
  return { request: { ...common, work: { action, reference, as } } };
}
