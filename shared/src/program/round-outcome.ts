import { RegulonError } from '../errors/index.js';
import type { Finding } from '../genomics/index.js';
import type { CurvePoint } from './learning-curve.js';
import type { ScheduledRound } from './schedule.js';
import type { ValidationPoint } from './validation-point.js';

/** What is known after a round closed. */
export interface RoundOutcome {
  readonly survivors: readonly number[];
  /** sums of the extras, as `decodeExtras` gives them */
  readonly extras: Readonly<Record<string, number>>;
  /** decoded sums of a statistics or evaluation round, float64 */
  readonly sums?: Float64Array;
  /** training: digest of the model after the server step, 32 bytes */
  readonly modelHash?: Uint8Array;
  /** training, where the plan tests the tiles of the sum: the energy of each, as the server step has measured it */
  readonly tiles?: readonly number[];
}

/** A round whose sum is known, before the program has moved on. */
export interface ClosingRound {
  /** digest of what follows from the sum, 32 bytes: model, feature specification, or the models that were scored */
  readonly modelOut: Uint8Array;
  /** of a training round */
  readonly point: CurvePoint | null;
  /** of a validation round */
  readonly validation: ValidationPoint | null;
  /** of a statistics round that tells the researcher something */
  readonly finding: Finding | null;
  /** Move on. @throws E_STATE when the program has moved on otherwise */
  readonly advance: () => void;
}

/** What follows from the sum of a round, and the change that it makes to the program. */
export type Following = Omit<ClosingRound, 'advance'> & { readonly apply: () => void };

/** Number of survivors whose vector was more than zeros. */
export function contributing(
  { contributors }: ScheduledRound,
  { survivors }: Pick<RoundOutcome, 'survivors'>,
): number {
  const members = new Set(contributors);
  return survivors.filter((id) => members.has(id)).length;
}

/** A part of an outcome that the round must have. @throws E_STATE without it */
export function required<T>(value: T | undefined, { round }: ScheduledRound): T {
  if (value === undefined) throw new RegulonError('E_STATE', `the outcome of round ${round} lacks its sum`);
  return value;
}
