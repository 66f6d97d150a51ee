import type { BenchOptions } from './main.js';
import { privateMemory } from './private-memory.js';
import { privateSteps } from './private-steps.js';
import type { BenchRow } from './report.js';

/** What a step of DP-SGD costs against a plain one: wall time, CPU time, peak memory; wall time on a quiet machine only. */
export async function run({ quick, say }: BenchOptions): Promise<BenchRow[]> {
  return [...(await privateSteps(quick, say)), ...privateMemory(say)];
}
