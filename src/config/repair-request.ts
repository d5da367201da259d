import type { ConfigFlags } from './load.ts';

/** What is to be repaired in its registry. */
export interface RepairRequest {
  readonly place: Pick<ConfigFlags, 'config'>;
  readonly reference: string;
  readonly dryRun: boolean;
  readonly force: boolean;
}
