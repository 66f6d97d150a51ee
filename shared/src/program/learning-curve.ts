import type { Plan } from '../plan/index.js';
import type { ScheduledRound } from './schedule.js';

/** One point of the learning curve: sums over the contributors of a training round. */
export interface CurvePoint {
  readonly round: number;
  readonly arm: number;
  /** training round of the arm, from 0 */
  readonly iteration: number;
  /** mean training loss of a unit */
  readonly loss: number;
  /** share of training units classified right; null where the task has no classes */
  readonly accuracy: number | null;
  /** sites in the sum */
  readonly survivors: number;
}

/** The point that a closed training round adds. @param extras its sums, as `decodeExtras` gives them */
export function curvePointOf(
  plan: Plan,
  { round, arm, iteration }: ScheduledRound,
  extras: Readonly<Record<string, number>>,
  survivors: number,
): CurvePoint {
  const { count = 0, correct = 0, loss = 0 } = extras;
  const accuracy = plan.task === 'classify' ? correct / count : null;
  return { round, arm, iteration, loss: loss / count, accuracy, survivors };
}
