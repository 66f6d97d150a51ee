import { decimalOf, type ValidationFigures } from '../plan/index.js';

/** What the validation units of all sites say of the model of an arm after a training round. */
export interface ValidationPoint {
  readonly round: number;
  readonly arm: number;
  /** training round of the arm, from 0 */
  readonly iteration: number;
  /** mean over units; of a reconstruction the mean squared error of a value */
  readonly loss: number;
  /** share of units classified right; null where the task has no classes */
  readonly accuracy: number | null;
  readonly units: number;
  /** sites in the sum */
  readonly survivors: number;
}

/** The figures of a point as the log has them. */
export function figuresOf({ loss, accuracy }: ValidationPoint): ValidationFigures {
  return { loss: decimalOf(loss), ...(accuracy === null ? {} : { accuracy: decimalOf(accuracy) }) };
}
