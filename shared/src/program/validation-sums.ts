import { RegulonError } from '../errors/index.js';
import { headTargets, type HeadTarget } from '../plan/index.js';
import type { RunContract } from './contract.js';
import { blockLength, encodeBlock, metricsOf, type SiteScore } from './evaluation.js';
import type { ScheduledRound } from './schedule.js';
import type { ValidationPoint } from './validation-point.js';

/** Fewest units that a released sum covers where data are not public. */
const MIN_UNITS = 5;
/** Σ loss of a head and its terms. */
const HEAD_LENGTH = 2;

/** What a validation round says of a model. */
type Scores = Pick<ValidationPoint, 'loss' | 'accuracy' | 'units' | 'heads'>;

/** Numbers of a validation round: a block of the evaluation; of several heads the units, and loss and terms of each head. */
export function validationLength(contract: RunContract): number {
  const { plan } = contract;
  return plan.task === 'heads' ? 1 + HEAD_LENGTH * headTargets(plan).length : blockLength(contract);
}

/**
 * The vector of one site. Of several heads nothing is in it that early stopping does not need: no class, value or pair.
 *
 * @returns float64 of length `validationLength`; the caller owns it
 */
export function encodeValidation(contract: RunContract, score: SiteScore): Float64Array {
  if (contract.plan.task !== 'heads') return encodeBlock(contract, score);
  const vector = new Float64Array(validationLength(contract));
  const heads = (score.heads ?? []).flatMap(({ lossSum, targetCount }) => [lossSum, targetCount]);
  vector.set([score.count, ...heads]);
  return vector;
}

/**
 * The point that the sum of a validation round gives.
 *
 * @param sums float64 of length `validationLength`
 * @throws E_UNITS when it, or one of its heads, covers no units, or too few in a run that is not public
 */
export function validationPointOf(
  contract: RunContract,
  { round, arm, iteration }: ScheduledRound,
  sums: Float64Array,
  survivors: number,
): ValidationPoint {
  const least = contract.isPublic ? 1 : MIN_UNITS;
  const scores = contract.plan.task === 'heads' ? headsOf(contract, sums) : wholeOf(contract, sums);
  if (scores === null || scores.units < least)
    throw new RegulonError('E_UNITS', `round ${round}: fewer than ${least} units validate arm ${arm}`);
  return { round, arm, iteration, ...scores, survivors };
}

function wholeOf(contract: RunContract, sums: Float64Array): Scores | null {
  const { count, loss, mse, accuracy } = metricsOf(contract, sums);
  const mean = loss ?? mse;
  return mean === undefined ? null : { loss: mean, accuracy: accuracy ?? null, units: count };
}

/** The weighted sum of the mean losses; null where a head has too few targets. */
function headsOf({ plan, isPublic }: RunContract, [count = 0, ...sums]: Float64Array): Scores | null {
  const heads = headTargets(plan).map((own, h) => {
    const [lossSum = 0, terms = 0] = sums.slice(h * HEAD_LENGTH, (h + 1) * HEAD_LENGTH);
    const needed = isPublic ? 1 : MIN_UNITS * mostTermsOf(own);
    return { head: own.target.head, lossSum, terms: Math.round(terms), needed };
  });
  if (heads.some(({ terms, needed }) => terms < needed)) return null;
  const means = heads.map(({ head, lossSum, terms }) => ({ head, loss: lossSum / terms, accuracy: null }));
  const weightOf = (head: string): number =>
    plan.model.heads?.find(({ block }) => block === head)?.weight ?? 1;
  const loss = means.reduce((sum, { head, loss: mean }) => sum + weightOf(head) * mean, 0);
  return { loss, accuracy: null, units: Math.round(count), heads: means };
}

/** Numbers that the loss of a head sums over for one unit, at most: so many may stand for no more than one patient. */
function mostTermsOf({ target, loss }: HeadTarget): number {
  switch (target.kind) {
    case 'classes':
      return 1;
    case 'numbers':
      return target.columns.length;
    case 'survival':
      return loss.type === 'discrete-time' ? loss.edges.length : 1;
    case 'track':
      return target.length;
  }
}
