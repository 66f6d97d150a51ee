import { add } from '../numbers.js';
import type { SummedRound } from '../summed-round.js';
import { type Curvature, newtonRound, newtonStep, type NewtonState, noCurvature } from './newton.js';
import { dot, rowOf, type SurvivalUnits } from './survival-units.js';

/** How units with one event time share it. */
export type Ties = 'breslow' | 'efron';

interface Ring {
  readonly fractionBits: number;
  readonly bound: number;
}

/** Places of one event time: [risk set: S0, S1, S2 | events: S0, S1, S2 | number of events | Σ covariates of events]. */
const widthOf = (p: number): number => 2 * (1 + p + p * p) + 1 + p;

/**
 * Cox regression over pooled risk sets, by Newton's method on a shared grid of event times. The sums tell how many are at
 * risk and how many have an event at each time; `stratifiedCoxRound` tells neither and is the default.
 *
 * @param times ascending, every event time of every site
 * @see Breslow 1974; Efron 1977
 */
export function coxRound(
  times: readonly number[],
  ties: Ties,
  ring: Ring,
): SummedRound<SurvivalUnits, NewtonState> {
  return {
    id: `cox-${ties}`,
    what: 'per event time: weighted sums over the units at risk, and over those with an event',
    fractionBits: ring.fractionBits,
    length: ({ beta }) => times.length * widthOf(beta.length),
    bound: () => ring.bound,
    local: (units, { beta }) => riskSums(units, times, beta),
    fit: (state, sums) => newtonStep(state, curvatureOf(sums, state.beta, ties)),
  };
}

/** Cox regression with a baseline hazard of each site's own: gradients only, no event time leaves. */
export function stratifiedCoxRound(ties: Ties, ring: Ring): SummedRound<SurvivalUnits, NewtonState> {
  const local = (units: SurvivalUnits, beta: Float64Array): Curvature => {
    const events = new Set(units.time.filter((_, i) => units.event[i] === 1));
    return curvatureOf(riskSums(units, [...events], beta), beta, ties);
  };
  return newtonRound('cox-stratified', local, ring);
}

function riskSums(units: SurvivalUnits, times: readonly number[], beta: Float64Array): Float64Array {
  const p = beta.length;
  const width = widthOf(p);
  const sums = new Float64Array(times.length * width);
  units.time.forEach((time, unit) => {
    const x = rowOf(units, unit);
    const risk = Math.exp(dot(x, beta));
    times.forEach((t, k) => {
      if (time < t) return;
      const isEvent = time === t && units.event[unit] === 1;
      addMoments(sums, k * width, x, risk);
      if (!isEvent) return;
      addMoments(sums, k * width + 1 + p + p * p, x, risk);
      const own = k * width + 2 * (1 + p + p * p);
      add(sums, own, 1);
      x.forEach((value, c) => add(sums, own + 1 + c, value));
    });
  });
  return sums;
}

function addMoments(sums: Float64Array, at: number, x: Float64Array, risk: number): void {
  const p = x.length;
  add(sums, at, risk);
  x.forEach((a, c) => {
    add(sums, at + 1 + c, risk * a);
    x.forEach((b, d) => add(sums, at + 1 + p + c * p + d, risk * a * b));
  });
}

/** Partial log-likelihood with its derivatives from the sums of all event times. */
function curvatureOf(sums: Float64Array, beta: Float64Array, ties: Ties): Curvature {
  const p = beta.length;
  const width = widthOf(p);
  const moments = 1 + p + p * p;
  const total = noCurvature(p);
  for (let at = 0; at < sums.length; at += width) {
    const atRisk = sums.subarray(at, at + moments);
    const dying = sums.subarray(at + moments, at + 2 * moments);
    const events = Math.round(sums[at + 2 * moments] ?? 0);
    const x = sums.subarray(at + 2 * moments + 1, at + width);
    total.logLikelihood += dot(x, beta);
    x.forEach((value, c) => add(total.gradient, c, value));
    for (let k = 0; k < events; k++) {
      const share = ties === 'efron' ? k / events : 0;
      subtractMean(
        total,
        atRisk.map((value, m) => value - share * (dying[m] ?? 0)),
        p,
      );
    }
  }
  return total;
}

/** One event: less ln S0, less the mean covariates of its risk set; their covariance is information. */
function subtractMean(
  total: Curvature,
  [s0 = 1, ...rest]: Float64Array | readonly number[],
  p: number,
): void {
  total.logLikelihood -= Math.log(s0);
  for (let c = 0; c < p; c++) {
    const mean = (rest[c] ?? 0) / s0;
    add(total.gradient, c, -mean);
    for (let d = 0; d < p; d++)
      add(total.information, c * p + d, (rest[p + c * p + d] ?? 0) / s0 - (mean * (rest[d] ?? 0)) / s0);
  }
}
