import { appendFileSync } from 'node:fs';

/** Name of the environment variable with the file in which `npm run attacks` collects what its tests have measured. */
export const MEASURED = 'REGULON_ATTACKS_MEASURED';

/** REGULON_ATTACKS=long: more models and trials, and the attacks that take minutes. */
export const isLong = process.env['REGULON_ATTACKS'] === 'long';

/** One number for the usual form of the suite, another for the long one. */
export const effort = (usual: number, long: number): number => (isLong ? long : usual);

/** Time-out of a test whose length depends on the form, ms. */
export const TIMEOUT_MS = effort(300_000, 1_800_000);

/** Shares of members and of others by score: bins of one width, the first from `low` on. */
export interface Histogram {
  readonly low: number;
  readonly width: number;
  readonly members: readonly number[];
  readonly others: readonly number[];
}

/** What one attack has reached. */
export interface Measured {
  /** A1 … A8, C1, C2 of docs/privacy.md */
  readonly attack: string;
  /** data, model and defence; `control` where there is none */
  readonly setting: string;
  readonly defence: string;
  readonly measure: string;
  readonly value: number;
  /** what the value must not exceed by more than three standard errors; absent: no such number exists */
  readonly bound?: number;
  readonly standardError?: number;
  /** of a membership test: shares of members found, by rising false positive rate */
  readonly curve?: readonly {
    readonly falsePositives: number;
    readonly found: number;
    readonly bound: number | null;
  }[];
  /** of the same test: what the curve is made of */
  readonly histogram?: Histogram;
}

/** Note what an attack has reached. Outside `npm run attacks` nothing is written. */
export function measured(line: Measured): Measured {
  const file = process.env[MEASURED];
  if (file) appendFileSync(file, `${JSON.stringify(line)}\n`);
  return line;
}

/**
 * Whether a measured value breaks the bound of the accountant: then noise, clipping, sampling or accountant is wrong. A
 * value below it proves nothing.
 */
export function breaksBound({ value, bound = Infinity, standardError = 0 }: Measured): boolean {
  return value > bound + 3 * standardError;
}
