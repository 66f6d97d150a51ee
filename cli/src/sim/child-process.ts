import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { RegulonError } from '@regulon/shared/errors';
import { readyReply } from './daemon-replies.js';

/** nice value of processes that share this machine with one that would have its own */
const BEHIND = 10;

/** Lower the priority of a process, and of its session where the kernel schedules sessions as groups. */
export function stepBack(pid: number): void {
  try {
    setPriority(pid, BEHIND);
    writeFileSync(`/proc/${pid}/autogroup`, String(BEHIND));
  } catch {
    // a hint only: without it everything runs as well, less smoothly
  }
}

/** The first line of stdout that is JSON with `ready: true`; other lines are skipped. */
export async function readyLine(child: ChildProcess): Promise<Record<string, unknown>> {
  const { stdout } = child;
  if (!stdout) throw new RegulonError('E_INTERNAL', 'the process has no stdout');
  const lines = createInterface({ input: stdout });
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      const value = readyOf(line);
      if (value) resolve(value);
    });
  });
}

function readyOf(line: string): Record<string, unknown> | null {
  try {
    return readyReply.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}

/** The last line of a log that names an error, or else its last one; empty when there is none. */
export function lastLine(file: string): string {
  if (!existsSync(file)) return '';
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return (lines.findLast((line) => line.startsWith('E_')) ?? lines.at(-1) ?? '').slice(0, 300);
}
