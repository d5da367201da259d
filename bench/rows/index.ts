import type { Context } from '../context.ts';
import type { RowResult } from '../report/result.ts';
import { measureBigBlobHit, measureSmallBlobHit } from './blob-hit.ts';
import { measureColdBlob } from './cold-blob.ts';
import { measureCrowd } from './crowd.ts';
import { measureFeatures } from './features.ts';
import { measureManifestHit } from './manifest-hit.ts';
import { measureRevalidatedTag } from './revalidated-tag.ts';
import { measureRights } from './rights.ts';
import { measureSlowCrowd } from './slow-crowd.ts';
import { measureSlowReader } from './slow-reader.ts';
import { measureStart } from './start.ts';

export interface Row {
  readonly id: string;
  readonly measure: string;
  run(context: Context): Promise<Omit<RowResult, 'id' | 'measure'>>;
}

/** Everything that is measured, in the order of the report. */
export const ROWS: readonly Row[] = [
  { id: 'P1', measure: 'manifest hit, 32 connections', run: measureManifestHit },
  { id: 'P2', measure: '256 MiB blob hit, 4 at once', run: measureBigBlobHit },
  { id: 'P3', measure: '64 KiB blob hit, 32 connections', run: measureSmallBlobHit },
  { id: 'P4', measure: 'cold 256 MiB blob, one client', run: measureColdBlob },
  { id: 'P5', measure: '200 clients, one cold 64 MiB blob', run: measureCrowd },
  { id: 'P6', measure: 'one reader at 10 KB/s on a cold blob', run: measureSlowReader },
  { id: 'P7', measure: '1,000 readers at 1 KB/s', run: measureSlowCrowd },
  { id: 'P8', measure: 'start with a full cache', run: measureStart },
  { id: 'P9', measure: 'revalidated tag', run: measureRevalidatedTag },
  { id: 'P10', measure: 'what features cost on a manifest hit', run: measureFeatures },
  { id: 'P11', measure: 'what logins and rights cost', run: measureRights },
];
