import { readFileSync } from 'node:fs';
import { verifyCommand } from '@regulon/cli/audit';
import { cpuSecondsOf, secondsOf } from '../best-of.js';

/** What `regulon audit verify` found in a process of its own, and what it took. */
export interface JudgedBundle {
  readonly status: string;
  readonly firstLine: string;
  /** entries that break row L1 */
  readonly wrong: readonly number[];
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** peak resident memory, MB */
  readonly peak: number;
}

/** Bundle, policy, time and threads on the command line; the answer as JSON. */
const [bundle = '', policy = '', asOf = '', jobs = '1'] = process.argv.slice(2);
// the policy is read here too, so that its absence is no part of what is timed
readFileSync(policy);
let outcome: Awaited<ReturnType<typeof verifyCommand>> | undefined;
let seconds = 0;
const cpuSeconds = await cpuSecondsOf(async () => {
  seconds = await secondsOf(async () => {
    outcome = await verifyCommand({ bundle, policy, asOf, jobs: Number(jobs) });
  });
});
const { report, firstLine } = outcome ?? {};
const judged: JudgedBundle = {
  status: report?.status ?? 'none',
  firstLine: firstLine ?? '',
  wrong: report?.rules.find(({ id }) => id === 'L1')?.evidence ?? [],
  ...{ seconds, cpuSeconds },
  peak: process.resourceUsage().maxRSS / 1000,
};
process.stdout.write(JSON.stringify(judged));
