import { decimalOf, type ValidationFigures } from '../plan/index.js';

/** What the validation units of all sites say of the model of an arm after a training round. */
export interface ValidationPoint {
  readonly round: number;
  readonly arm: number;
  /** training round of the arm, from 0 */
  readonly iteration: number;
  /** mean over units; of a reconstruction the mean squared error of a value; of several heads Σ weight · mean loss of a target */
  readonly loss: number;
  /** share of units classified right; null where the task has no classes */
  readonly accuracy: number | null;
  readonly units: number;
  /** sites in the sum */
  readonly survivors: number;
  /** of a task of several heads: mean loss of a target (of a Cox head, of an event) */
  readonly heads?: readonly { readonly head: string; readonly loss: number; readonly accuracy: null }[];
}

/** Units of the accuracy in the log: finer digits of a ratio of counts tell the counts, which the log never has exactly. */
const SHARE = 2 ** 10;

/** The figures of a point as the log has them: the loss, and the accuracy to the nearest 2⁻¹⁰. */
export function figuresOf({ loss, accuracy }: ValidationPoint): ValidationFigures {
  return {
    loss: decimalOf(loss),
    ...(accuracy === null ? {} : { accuracy: decimalOf(Math.round(accuracy * SHARE) / SHARE) }),
  };
}
