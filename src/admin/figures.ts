import { Counter, Gauge, type Registry } from 'prom-client';

/** What the cache says of itself when metrics are read; counts are since the start. */
interface CacheFigures {
  usage(): { readonly bytes: number; readonly blobs: number };
  health(): 'ok' | object;
  counters(): {
    readonly fills: number;
    readonly resumed: number;
    readonly evicted: number;
    readonly damaged: number;
    readonly mismatched: number;
    readonly scrubbed: number;
  };
}

/** What the listener for clients says of its connections when metrics are read; all but `open` count since the start. */
type ConnectionFigures = () => {
  readonly open: number;
  readonly refused: number;
  readonly dropped: number;
  readonly slow: number;
};

/** What registries are known to do wrong when metrics are read. */
interface DefectFigures {
  list(): readonly { readonly upstream: string; readonly fix: string }[];
}

/** What came from the cache since the start. */
export interface SavedFigures {
  readonly answers: number;
  readonly bytes: number;
}

/** What became of the lines of the audit log since the start. */
type AuditFigures = () => { readonly recorded: number; readonly lost: number };

/** Where the figures are. */
export interface FigureSources {
  readonly cache: CacheFigures;
  readonly connections: ConnectionFigures;
  readonly defects: DefectFigures;
  readonly audit: AuditFigures;
}

/** Makes the metrics that are read from where they are counted. */
export function addFigures(
  registers: Registry[],
  { cache, connections, defects, audit }: FigureSources,
  saved: SavedFigures,
): void {
  const gauge = readings(Gauge, registers);
  const counter = readings(Counter, registers);
  counter('manifix_cache_hits_total', 'Answers from the cache', () => saved.answers);
  counter('manifix_cache_saved_bytes_total', 'Body bytes from the cache instead of a registry', () => saved.bytes);
  gauge('manifix_cache_bytes', 'Bytes of blobs and manifests on disk', () => cache.usage().bytes);
  gauge('manifix_cache_blobs', 'Blobs on disk', () => cache.usage().blobs);
  gauge('manifix_cache_degraded', '1 while something is broken, as /readyz says', () =>
    cache.health() === 'ok' ? 0 : 1,
  );
  counter('manifix_cache_fills_total', 'Downloads of blobs into the cache', () => cache.counters().fills);
  counter('manifix_cache_resumes_total', 'Downloads that went on after a cut', () => cache.counters().resumed);
  counter(
    'manifix_cache_mismatches_total',
    'Downloads whose length or digest was wrong',
    () => cache.counters().mismatched,
  );
  counter('manifix_cache_evictions_total', 'Blobs and manifests removed to make room', () => cache.counters().evicted);
  counter('manifix_cache_quarantines_total', 'Files that were damaged and taken out', () => cache.counters().damaged);
  counter('manifix_cache_scrubbed_bytes_total', 'Bytes hashed again by the scrubber', () => cache.counters().scrubbed);
  addDefects(registers, defects);
  gauge('manifix_connections', 'Open connections of clients', () => connections().open);
  new Counter({
    name: 'manifix_connections_refused_total',
    help: 'Connections beyond the limit, answered 503 or closed at once, and those of clients that read too slowly',
    labelNames: ['how'] as const,
    registers,
    collect() {
      const { refused, dropped, slow } = connections();
      this.reset();
      this.inc({ how: 'answered' }, refused);
      this.inc({ how: 'closed' }, dropped);
      this.inc({ how: 'slow' }, slow);
    },
  });
  counter('manifix_audit_lines_total', 'Lines for the audit log', () => audit().recorded);
  counter('manifix_audit_lost_total', 'Lines of the audit log that could not be written', () => audit().lost);
}

/** 1 for each defect that is remembered; what is forgotten has no series. */
function addDefects(registers: Registry[], defects: DefectFigures): void {
  new Gauge({
    name: 'manifix_upstream_defects',
    help: '1 while a registry is known to have the defect that the fix works around',
    labelNames: ['upstream', 'fix'] as const,
    registers,
    collect() {
      this.reset();
      for (const { upstream, fix } of defects.list()) this.set({ upstream, fix }, 1);
    },
  });
}

/** A way to make metrics of one kind whose one value is read when the metrics are. */
function readings(Kind: typeof Gauge | typeof Counter, registers: Registry[]) {
  return (name: string, help: string, read: () => number) =>
    new Kind({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
}
