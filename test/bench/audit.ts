import { run as append } from './audit-append.js';
import { run as flips } from './audit-flips.js';
import { run as log } from './audit-log.js';
import { run as rounds } from './audit-run.js';
import type { BenchOptions } from './main.js';
import type { BenchRow } from './report.js';

/** Appending to the log, and verifying it. */
export async function run(options: BenchOptions): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const part of [append, flips, rounds, log]) rows.push(...(await part(options)));
  return rows;
}
