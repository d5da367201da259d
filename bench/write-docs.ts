import { readFileSync, writeFileSync } from 'node:fs';
import { RESULTS } from './options.ts';
import { renderDocument } from './report/document.ts';
import type { Report } from './report/result.ts';

const DOCUMENT = new URL('../docs/benchmarks.md', import.meta.url);

/** Writes docs/benchmarks.md. */
export function writeDocs(report: Report): void {
  writeFileSync(DOCUMENT, renderDocument(report));
}

// Run by itself it writes the page from the last run.
if (import.meta.main) writeDocs(JSON.parse(readFileSync(RESULTS, 'utf8')));
