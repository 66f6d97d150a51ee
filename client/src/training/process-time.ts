import { readFileSync } from 'node:fs';

/**
 * CPU time that a process has used, in clock ticks: a long kernel is alive although it cannot report.
 *
 * @returns 0 where the system does not say (no /proc, or the process is gone)
 */
export function cpuTicksOf(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the command in parentheses may contain blanks: fields are counted after it
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return 0;
  }
}
