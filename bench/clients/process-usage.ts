import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

// Linux counts processor time in hundredths of a second, whatever the kernel's own tick is.
const TICKS_PER_SECOND = 100;
const RESET_PEAK = '5';

/** Processor time in user and kernel mode of a process and all that descend from it, in seconds. */
export function processorSeconds(pid: number): number {
  const all = readProcesses();
  return withDescendants(pid, all).reduce((sum, id) => sum + (all.get(id)?.ticks ?? 0), 0) / TICKS_PER_SECOND;
}

/** Resident memory of a process and all that descend from it, in bytes; what they share counts for each. */
export function residentBytes(pid: number): number {
  return memoryOf(pid, 'VmRSS');
}

/** The most that was resident since `forgetPeak`, in bytes. */
export function peakResidentBytes(pid: number): number {
  return memoryOf(pid, 'VmHWM');
}

export function forgetPeak(pid: number): void {
  for (const id of withDescendants(pid, readProcesses())) writeFileSync(`/proc/${id}/clear_refs`, RESET_PEAK);
}

function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const pattern = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm');
  return withDescendants(pid, readProcesses()).reduce((sum, id) => {
    const kibibytes = pattern.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1];
    return sum + Number(kibibytes ?? 0) * 1024;
  }, 0);
}

interface ProcessStatus {
  readonly parent: number;
  readonly ticks: number;
}

function readProcesses(): ReadonlyMap<number, ProcessStatus> {
  const ids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return new Map(
    ids.flatMap((id) => {
      const status = readStatus(id);
      return status === undefined ? [] : [[id, status] as const];
    }),
  );
}

/** See proc(5), /proc/pid/stat. Undefined when the process has ended meanwhile. */
function readStatus(id: number): ProcessStatus | undefined {
  try {
    const text = readFileSync(`/proc/${id}/stat`, 'utf8');
    // The name in parentheses may hold anything, so the fields are counted from behind it.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    return { parent: fields[1] ?? 0, ticks: (fields[11] ?? 0) + (fields[12] ?? 0) };
  } catch {
    return undefined;
  }
}

function withDescendants(pid: number, all: ReadonlyMap<number, ProcessStatus>): readonly number[] {
  const children = [...all].filter(([, { parent }]) => parent === pid).map(([id]) => id);
  return [pid, ...children.flatMap((id) => withDescendants(id, all))];
}
