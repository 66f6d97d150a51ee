import { headTargets, type Plan } from '../plan/index.js';
import { headExtra } from './extras.js';
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
  /** of a task of several heads: mean loss of a unit with the target, share of classes that were right */
  readonly heads?: readonly {
    readonly head: string;
    readonly loss: number | null;
    readonly accuracy: number | null;
  }[];
}

/**
 * The point that a closed training round adds, of a plan whose rounds sum a loss.
 *
 * @param extras its sums, as `decodeExtras` gives them
 */
export function curvePointOf(
  plan: Plan,
  { round, arm, iteration }: ScheduledRound,
  extras: Readonly<Record<string, number>>,
  survivors: number,
): CurvePoint {
  const { count = 0, correct = 0, loss = 0 } = extras;
  const accuracy = plan.task === 'classify' ? correct / count : null;
  const point = { round, arm, iteration, loss: loss / count, accuracy, survivors };
  const heads = headTargets(plan).map(({ target: { head, kind } }) => {
    const of = (what: Parameters<typeof headExtra>[0]): number => extras[headExtra(what, head)] ?? 0;
    const share = (sum: number): number | null => (of('units') > 0 ? sum / of('units') : null);
    return { head, loss: share(of('loss')), accuracy: kind === 'classes' ? share(of('correct')) : null };
  });
  return heads.length > 0 ? { ...point, heads } : point;
}
