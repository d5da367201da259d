/** Docker before 1.10 reads nothing but schema 1, and asks for it by sending no Accept. */
const SCHEMA1_ENGINE = /^docker\/1\.\d(?!\d)/;

/** Whether this User-Agent is an engine that reads nothing but schema 1. */
export function readsOnlySchema1(userAgent: string | undefined): boolean {
  return SCHEMA1_ENGINE.test(userAgent ?? '');
}
