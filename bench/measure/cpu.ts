import { readdirSync, readFileSync } from 'node:fs';
import type { Part } from '../setup.ts';

/** Unit of the times in /proc/<pid>/stat: Linux fixes USER_HZ at 100 on the platforms that Node runs on. */
const TICK_US = 10_000;

interface ProcessTimes {
  readonly parent: number;
  /** User and system time, its own and that of children that it waited for. */
  readonly us: number;
}

/** CPU time in µs since their start, of each part with all its descendants, by name of the part. */
export function readCpu(parts: readonly Part[]): Map<string, number> {
  const all = readProcesses();
  const roots = new Map(parts.map((part) => [part.pid, part.name]));
  const sums = new Map(parts.map((part) => [part.name, 0]));
  for (const [pid, times] of all) {
    const part = ancestorIn(roots, pid, all);
    if (part !== undefined) sums.set(part, (sums.get(part) ?? 0) + times.us);
  }
  return sums;
}

/** CPU time in µs of all processes of the machine, without idling and waiting for disks (proc_stat(5)). */
export function readMachineCpu(): number {
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0] = readFileSync('/proc/stat', 'latin1')
    .slice(0, 200)
    .split(/\s+/, 8)
    .slice(1)
    .map(Number);
  return (user + nice + system + interrupts + softInterrupts) * TICK_US;
}

/** CPU time in µs of a process's main thread. */
export function readMainThreadCpu(pid: number): number {
  return parseStat(readFileSync(`/proc/${pid}/task/${pid}/stat`, 'latin1')).us;
}

/** Greatest resident memory, in bytes, that each process of the part ever had, summed. */
export function peakMemory(part: Part): number {
  return memoryOf(part, /^VmHWM:\s+(\d+) kB$/m);
}

/** Resident memory, in bytes, of all processes of the part. */
export function residentMemory(part: Part): number {
  return memoryOf(part, /^VmRSS:\s+(\d+) kB$/m);
}

function memoryOf(part: Part, line: RegExp): number {
  const all = readProcesses();
  const roots = new Map([[part.pid, part.name]]);
  let sum = 0;
  for (const pid of all.keys()) {
    if (ancestorIn(roots, pid, all) === undefined) continue;
    const match = line.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    sum += Number(match?.[1] ?? Number.NaN) * 1024;
  }
  return sum;
}

function readProcesses(): Map<number, ProcessTimes> {
  const all = new Map<number, ProcessTimes>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      all.set(Number(name), parseStat(readFileSync(`/proc/${name}/stat`, 'latin1')));
    } catch {
      // It ended between the listing and the read; its parent has its time.
    }
  }
  return all;
}

function ancestorIn(
  roots: ReadonlyMap<number, string>,
  pid: number,
  all: ReadonlyMap<number, ProcessTimes>,
): string | undefined {
  for (let at: number | undefined = pid; at !== undefined && at > 0; at = all.get(at)?.parent) {
    const name = roots.get(at);
    if (name !== undefined) return name;
  }
  return undefined;
}

/** proc_pid_stat(5). The name, in parentheses, may itself hold spaces and parentheses. */
export function parseStat(stat: string): ProcessTimes {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  const ticks = field(14) + field(15) + field(16) + field(17);
  return { parent: field(4), us: ticks * TICK_US };
}
