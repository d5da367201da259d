import { RegistryError } from '../domain/errors.ts';
import { headerValue } from '../domain/headers.ts';
import type { JsonDefect } from '../domain/json-scan.ts';
import { parseMediaType } from '../domain/media-type.ts';
import type { Fix, ManifestView } from './fix.ts';

const SHOWN_CHARACTERS = 60;
const READ_BYTES = 4096;

const PAGE = 'Look for a login page, a firewall or a proxy between manifix and the registry.';
const DAMAGE = 'The manifest was damaged before it was pushed: push it again byte for byte.';

const CAUSES: Readonly<Record<JsonDefect, string>> = {
  'not-utf8': `It is not UTF-8. ${DAMAGE}`,
  'byte-order-mark': `It starts with a byte order mark, which JSON does not allow. ${DAMAGE}`,
  syntax: `It is not JSON. ${PAGE}`,
  'too-deep': 'It is nested deeper than any manifest.',
  'trailing-data': `More follows after the JSON. ${DAMAGE}`,
};

/** Login pages, captive portals and firewalls answer 200; clients then report a JSON syntax error. */
export const html200: Fix = {
  id: 'html-200',
  title: 'A page that comes instead of a manifest is reported as what it is',
  symptom: "`invalid character '<' looking for beginning of value`",
  defaultMode: 'on',
  digest: 'unchanged',
  manifest: (view) => {
    if (view.inspection.shape !== 'not-json') return undefined;
    const type = parseMediaType(headerValue(view.headers, 'Content-Type')) ?? 'an untyped document';
    const refuse = new RegistryError('UNKNOWN', {
      status: 502,
      message: `upstream returned ${type} instead of a manifest`,
      explanation: `The registry answered 200 with ${type} ${beginning(view.bytes)}. ${causeOf(view)}`,
      fix: 'html-200',
    });
    return { note: `refused ${type} that is not a manifest`, refuse };
  },
};

function causeOf({ inspection: { defect, jsonKind } }: ManifestView): string {
  return defect === undefined ? `It is a JSON ${jsonKind}, not an object. ${DAMAGE}` : CAUSES[defect];
}

/** The first readable words, without tags. */
function beginning(bytes: Uint8Array): string {
  const text = new TextDecoder()
    .decode(bytes.subarray(0, READ_BYTES))
    .replace(/<[^<>]*>?/g, ' ')
    .replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S}]+/gu, ' ')
    .trim();
  const shown = Array.from(text).slice(0, SHOWN_CHARACTERS).join('').trimEnd();
  return shown === '' ? 'without readable text' : `that begins with "${shown}"`;
}
