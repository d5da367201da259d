export const serverNames = [
  'manifix',
  'manifix, fixes off',
  'manifix, with rights',
  'nginx proxy_cache',
  'docker-registry',
  'docker-registry cache',
  'bare Node',
  'direct',
  'plain file',
] as const;

/**
 * Who served. `docker-registry cache` is its pull-through mode, `bare Node` the ceiling, `direct` the upstream itself, and
 * `plain file` nobody: the same bytes written to a file.
 */
export type ServerName = (typeof serverNames)[number];

export interface Column {
  readonly key: string;
  readonly title: string;
  readonly digits: number;
}

/** What was measured of one server under one condition: one value per run for each column. */
export interface Line {
  readonly condition: string;
  readonly server: ServerName;
  readonly values: Readonly<Record<string, readonly number[]>>;
}

/** A target with what was measured in its place. */
export interface Check {
  readonly target: string;
  readonly measured: string;
  readonly isMet: boolean;
}

export interface RowResult {
  readonly id: string;
  readonly measure: string;
  readonly columns: readonly Column[];
  readonly lines: readonly Line[];
  readonly checks: readonly Check[];
  /** Sentences about how to read the figures. */
  readonly notes: readonly string[];
}

/** A row that could not be measured. */
export interface FailedRow {
  readonly id: string;
  readonly measure: string;
  readonly failure: string;
}

export interface Report {
  readonly date: string;
  readonly machine: Readonly<Record<string, string>>;
  readonly settings: {
    readonly runs: number;
    readonly seconds: number;
    readonly quick: boolean;
    readonly large: boolean;
  };
  readonly rows: readonly (RowResult | FailedRow)[];
}
