import { RegulonError } from '../../errors/index.js';
import { add } from '../numbers.js';
import type { SummedRound } from '../summed-round.js';
import { type Curvature, newtonRound, type NewtonState, noCurvature } from './newton.js';
import type { SurvivalUnits } from './survival-units.js';
import { rowOf } from './survival-units.js';

/** Events that an interval needs before its hazard may be estimated. */
const MIN_EVENTS = 5;

/**
 * Logistic hazards in intervals of time: one intercept an interval, then the covariates. A unit counts in each interval that it
 * enters; with an event in its last.
 *
 * @param edges ascending upper ends; the first interval starts at 0, later times count in the last
 * @see Singer & Willett 1993
 */
export function discreteTimeRound(
  edges: readonly number[],
  ring: { fractionBits: number; bound: number },
): SummedRound<SurvivalUnits, NewtonState> {
  return newtonRound('discrete-time', (units, beta) => curvatureOf(units, edges, beta), ring);
}

const intervalOf = (edges: readonly number[], time: number): number => {
  const at = edges.findIndex((edge) => time <= edge);
  return at < 0 ? edges.length - 1 : at;
};

/** Events of each interval at this site; sums of it are checked before any fit. */
export function intervalEvents(units: SurvivalUnits, edges: readonly number[]): Float64Array {
  const counts = new Float64Array(edges.length);
  units.time.forEach((time, unit) => add(counts, intervalOf(edges, time), units.event[unit] ?? 0));
  return counts;
}

/** @throws E_UNITS naming the first interval with too few events: an empty one has no finite hazard */
export function verifyIntervals(events: ArrayLike<number>): void {
  const small = Array.from(events).findIndex((count) => Math.round(count) < MIN_EVENTS);
  if (small >= 0)
    throw new RegulonError(
      'E_UNITS',
      `interval ${small + 1} holds fewer than ${MIN_EVENTS} events: join it with its neighbour`,
    );
}

function curvatureOf(units: SurvivalUnits, edges: readonly number[], beta: Float64Array): Curvature {
  const total = noCurvature(beta.length);
  units.time.forEach((time, unit) => {
    const last = intervalOf(edges, time);
    for (let k = 0; k <= last; k++) {
      const row = new Float64Array(beta.length);
      row[k] = 1;
      row.set(rowOf(units, unit), edges.length);
      addTrial(total, row, beta, k === last ? (units.event[unit] ?? 0) : 0);
    }
  });
  return total;
}

/** One Bernoulli trial with logit row·β. */
function addTrial(total: Curvature, row: Float64Array, beta: Float64Array, outcome: number): void {
  const eta = row.reduce((sum, x, j) => sum + x * (beta[j] ?? 0), 0);
  const p = 1 / (1 + Math.exp(-eta));
  total.logLikelihood += outcome === 1 ? Math.log(p) : Math.log1p(-p);
  row.forEach((a, c) => {
    add(total.gradient, c, a * (outcome - p));
    row.forEach((b, d) => add(total.information, c * row.length + d, a * b * p * (1 - p)));
  });
}
