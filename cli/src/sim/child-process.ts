import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { RegulonError } from '@regulon/shared/errors';
import { isErrorCode } from '../output/index.js';
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

/** The two lines by which a program of this project ends with an error, as they stand last in its stderr. */
export function errorOfLines(lines: readonly string[]): RegulonError | undefined {
  const at = lines.findLastIndex((line) => /^E_[A-Z_0-9]+: /.test(line));
  const [, code, message = ''] = /^(E_[A-Z_0-9]+): (.*)$/.exec(lines[at] ?? '') ?? [];
  if (!isErrorCode(code)) return undefined;
  const hint = /^next: (.*)$/.exec(lines[at + 1] ?? '')?.[1];
  return new RegulonError(code, message, hint === undefined ? {} : { hint });
}

/** The error that stands last in a log, if there is one. */
export function lastError(file: string): RegulonError | undefined {
  return errorOfLines(linesOf(file));
}

/** The last line of a log; empty when there is none. */
export function lastLine(file: string): string {
  return (linesOf(file).at(-1) ?? '').slice(0, 300);
}

function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
}
