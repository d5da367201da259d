import { ACCESS_CASES } from './access-cases.ts';
import { BLOB_CASES } from './blob-cases.ts';
import type { SelftestCase } from './case.ts';
import { LIST_CASES } from './list-cases.ts';
import { PULL_CASES } from './pull-cases.ts';
import { PUSH_CASES } from './push-cases.ts';
import { RULE_CASES } from './rule-cases.ts';

/** All known bad cases, one for each fix and rule. */
export const CASES: readonly SelftestCase[] = [
  ...PULL_CASES,
  ...BLOB_CASES,
  ...LIST_CASES,
  ...PUSH_CASES,
  ...ACCESS_CASES,
  ...RULE_CASES,
];
