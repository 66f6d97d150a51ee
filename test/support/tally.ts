import { appendFileSync } from 'node:fs';

/** Name of the environment variable with the file in which `npm run security` collects what its tests have done. */
export const TALLY = 'REGULON_TALLY';

/** What is counted. */
export const counted = [
  'plans whose thresholds hold',
  'random cohorts',
  'messages with one bit changed',
  'inputs fuzzed',
  'random schedules',
  'deaths inside a test',
  'processes killed',
] as const;

/** One line of the file. */
export interface Tallied {
  readonly what: (typeof counted)[number];
  /** how it ended, or which step, message or side it was */
  readonly kind: string;
  readonly number: number;
}

/** Count what a test has done and checked. Outside `npm run security` nothing is written. */
export function tally(what: Tallied['what'], kind: string, number = 1): void {
  const file = process.env[TALLY];
  if (file) appendFileSync(file, `${JSON.stringify({ what, kind, number } satisfies Tallied)}\n`);
}
