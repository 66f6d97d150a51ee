import { readdirSync, readFileSync } from 'node:fs';

const KIB = 1024;

/**
 * Process ids of a process and everything it started, from /proc.
 *
 * @returns only `pid` where there is no /proc
 */
function processTree(pid: number): number[] {
  const found = [pid];
  for (const parent of found) {
    try {
      for (const task of readdirSync(`/proc/${parent}/task`)) {
        const children = readFileSync(`/proc/${parent}/task/${task}/children`, 'utf8');
        found.push(...children.split(' ').filter(Boolean).map(Number));
      }
    } catch {
      continue; // gone meanwhile, or no /proc on this system
    }
  }
  return found;
}

/** Resident memory of a process now and at its peak, bytes; null when it is gone or there is no /proc. */
function residentMemory(pid: number): { now: number; peak: number } | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * KIB;
    return { now: field('VmRSS'), peak: field('VmHWM') };
  } catch {
    return null;
  }
}

/** Memory of a process with pages that it shares counted once over all sharers (PSS), bytes; resident where unknown. */
function proportionalMemory(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * KIB;
  } catch {
    return residentMemory(pid)?.now ?? 0;
  }
}

/** Watches the memory of named process trees. */
export class MemoryWatch {
  private readonly peaks = new Map<string, number>();
  private together = 0;

  /** Look once: resident memory of every tree now, and all together with shared pages counted once. */
  sample(processes: readonly { readonly name: string; readonly pid: number }[]): void {
    let sum = 0;
    for (const { name, pid } of processes) {
      const tree = processTree(pid);
      const resident = tree.reduce((all, id) => all + (residentMemory(id)?.now ?? 0), 0);
      const own = residentMemory(pid)?.peak ?? 0;
      this.peaks.set(name, Math.max(this.peaks.get(name) ?? 0, resident, own));
      sum += tree.reduce((all, id) => all + proportionalMemory(id), 0);
    }
    this.together = Math.max(this.together, sum);
  }

  /** Largest memory seen, bytes: resident of each tree (with what it started), and of all at one moment (PSS). */
  report(): { readonly byName: Readonly<Record<string, number>>; readonly together: number } {
    return { byName: Object.fromEntries(this.peaks), together: this.together };
  }
}
