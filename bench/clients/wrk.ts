import { fileURLToPath } from 'node:url';
import type { HeaderList } from '../../src/domain/headers.ts';
import { runSuccessfully } from '../../test/support/process.ts';

const scriptPath = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export interface Load {
  readonly url: string;
  readonly headers?: HeaderList;
  readonly connections: number;
  /** Of wrk; one when it is not said. */
  readonly threads?: number;
  readonly seconds: number;
  /** No two requests are equal. */
  readonly distinct?: boolean;
}

/** What came back under load; bytes count even of answers that were cut by the end of the run. */
export interface LoadFigures {
  readonly requests: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Connections that failed. */
  readonly failed: number;
}

/** Loads a URL with wrk. @throws when an answer was an error */
export async function runWrk({
  url,
  headers = [],
  connections,
  threads = 1,
  seconds,
  distinct = false,
}: Load): Promise<LoadFigures> {
  const fields = headers.flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const flags = [
    '-t',
    String(threads),
    '-c',
    String(connections),
    '-d',
    `${seconds}s`,
    '--timeout',
    '60s',
    '-s',
    scriptPath(distinct ? 'wrk-distinct.lua' : 'wrk-report.lua'),
  ];
  const { stdout } = await runSuccessfully('wrk', [...flags, ...fields, url], { timeout: (seconds + 30) * 1000 });
  const line = /^report (\{.*\})$/m.exec(stdout)?.[1];
  if (line === undefined) throw new Error(`wrk reported nothing: ${stdout}`);
  const { duration, p50, p99, refused, ...counts } = JSON.parse(line);
  if (refused > 0) throw new Error(`${url} gave ${refused} answers with an error status`);
  return { ...counts, seconds: duration / 1e6, p50: p50 / 1e3, p99: p99 / 1e3 };
}
