/** Survival of some units: log hazard ratios, times, and 1 for an event, 0 for the end of observation. */
export interface Survival {
  readonly risk: ArrayLike<number>;
  readonly time: ArrayLike<number>;
  readonly event: ArrayLike<number>;
}

/** Negative log partial likelihood, its gradient by each risk, and the number of events. */
export interface CoxTerms {
  readonly loss: number;
  readonly gradient: Float64Array;
  readonly events: number;
}

/**
 * Cox's partial likelihood of one stratum, in float64.
 *
 * Strata add up: the loss of several sites, each with its own risk sets, is the sum of theirs, and no event time leaves
 * a site. A unit with a time of NaN is missing.
 *
 * @param ties `breslow`: every tied event against the whole risk set; `efron`: against what is left of it on average
 * @see Cox 1972; Breslow 1974; Efron 1977
 */
export function coxLoss({ risk, time, event }: Survival, ties: 'breslow' | 'efron'): CoxTerms {
  const order = Array.from({ length: risk.length }, (_, i) => i).filter((i) => !Number.isNaN(time[i]!));
  order.sort((a, b) => time[b]! - time[a]!);
  const gradient = new Float64Array(risk.length);
  // risks relative to the largest one: the ratio is the same and nothing overflows
  const top = order.reduce((max, i) => Math.max(max, risk[i]!), -Infinity);
  const hazard = (i: number): number => Math.exp(risk[i]! - top);
  let loss = 0;
  let events = 0;
  let atRisk = 0;
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && time[order[to]!] === time[order[from]!]) to++;
    const group = order.slice(from, to);
    for (const i of group) atRisk += hazard(i);
    const died = group.filter((i) => event[i]! > 0);
    const inRisk = order.slice(0, to);
    loss += groupLoss(died, inRisk, { atRisk, ties, hazard, gradient });
    for (const i of died) {
      loss -= risk[i]! - top;
      gradient[i] = gradient[i]! - 1;
    }
    events += died.length;
    from = to;
  }
  return { loss, gradient, events };
}

/** Σ over the tied events of log(what is at risk), and its gradient. */
function groupLoss(
  died: readonly number[],
  inRisk: readonly number[],
  work: {
    atRisk: number;
    ties: 'breslow' | 'efron';
    hazard: (i: number) => number;
    gradient: Float64Array;
  },
): number {
  const { atRisk, ties, hazard, gradient } = work;
  const tied = died.reduce((sum, i) => sum + hazard(i), 0);
  let loss = 0;
  let forAll = 0;
  let forTied = 0;
  died.forEach((_, l) => {
    const share = ties === 'efron' ? l / died.length : 0;
    const left = atRisk - share * tied;
    loss += Math.log(left);
    forAll += 1 / left;
    forTied += share / left;
  });
  for (const i of inRisk) gradient[i] = gradient[i]! + forAll * hazard(i);
  for (const i of died) gradient[i] = gradient[i]! - forTied * hazard(i);
  return loss;
}
