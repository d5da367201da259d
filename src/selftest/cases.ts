import { BLOB_CASES } from './blob-cases.ts';
import type { SelftestCase } from './case.ts';
import { LIST_CASES } from './list-cases.ts';
import { PULL_CASES } from './pull-cases.ts';
import { PUSH_CASES } from './push-cases.ts';
import { RULE_CASES } from './rule-cases.ts';

/** All known bad cases that can be replayed here, one for each fix and rule. */
export const CASES: readonly SelftestCase[] = [
  ...PULL_CASES,
  ...BLOB_CASES,
  ...LIST_CASES,
  ...PUSH_CASES,
  ...RULE_CASES,
];

const NO_TOKENS = 'it takes a token service, which the selftest does not bring';

/** Fixes and rules that have no case, by id, and why. */
export const NOT_TESTABLE: Readonly<Record<string, string>> = {
  'token-realm': NO_TOKENS,
  'challenge-missing': NO_TOKENS,
  'token-shapes': NO_TOKENS,
  'mirror-without-credentials': 'it takes a registry with an account of its own, which the selftest does not bring',
  'schema1-only-image': 'it takes a signed schema 1 image with layers to convert, which the selftest does not bring',
  'rate-limit-429':
    'a limit counts for all requests to a registry, so that every other case would have to wait with it',
  'manifest-blob-unknown':
    'it takes a second repository that has what the first one lacks, which the selftest does not bring',
};
