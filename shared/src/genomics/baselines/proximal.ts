/** A gradient step followed by what the penalty makes of it. @param size length of the step; the caller owns the result */
export type ProximalStep = (at: Float64Array, gradient: Float64Array, size: number) => Float64Array;

/** A search for the smallest sum of a smooth convex function and a simple penalty, between two gradients. */
export interface ProximalSearch {
  /** where the gradient is to be taken next */
  readonly next: Float64Array;
  /** what the search answers with */
  readonly best: Float64Array;
  /** where the last step was taken from, with its gradient and the iterate before it; null before the first gradient */
  readonly from: {
    readonly at: Float64Array;
    readonly gradient: Float64Array;
    readonly before: Float64Array;
  } | null;
  readonly momentum: number;
  /** the largest curvature met so far: a step is its inverse */
  readonly curvature: number;
  /** largest change of a coordinate by the last step, over its size: 0 at the optimum */
  readonly norm: number;
  readonly isDone: boolean;
}

/** A search that has seen no gradient. */
export const proximalFrom = (start: Float64Array): ProximalSearch => ({
  ...{ next: start, best: start, from: null },
  ...{ momentum: 1, curvature: 1, norm: Infinity, isDone: false },
});

/**
 * The search after the gradient at `search.next`; a finished search stays as it is. One gradient an iteration: a step
 * that turns out too long, since the gradient changed more along it than `curvature` says, is taken again, shorter.
 *
 * @param tolerance of `norm`
 * @see Beck & Teboulle 2009 (FISTA); O'Donoghue & Candès 2015 for the restart
 */
export function proximalSearched(
  search: ProximalSearch,
  gradient: Float64Array,
  step: ProximalStep,
  tolerance: number,
): ProximalSearch {
  const { next: at, from, best, isDone } = search;
  if (isDone) return search;
  const met = from ? curvatureBetween(from.at, from.gradient, at, gradient) : 0;
  if (from && met > search.curvature)
    return onwards(
      { ...search, curvature: Math.max(2 * search.curvature, met), best: from.before },
      from,
      step,
    );
  const taken = onwards(search, { at, gradient, before: best }, step);
  return taken.norm <= tolerance ? { ...taken, next: taken.best, isDone: true } : taken;
}

/** The step from an accepted place, and where momentum carries it. */
function onwards(
  search: ProximalSearch,
  from: NonNullable<ProximalSearch['from']>,
  step: ProximalStep,
): ProximalSearch {
  const { at, gradient, before } = from;
  const best = step(at, gradient, 1 / search.curvature);
  const norm = search.curvature * best.reduce((most, x, k) => Math.max(most, Math.abs(x - (at[k] ?? 0))), 0);
  const turnsBack = best.reduce((sum, x, k) => sum + ((at[k] ?? 0) - x) * (x - (before[k] ?? 0)), 0) > 0;
  const momentum = turnsBack ? 1 : (1 + Math.sqrt(1 + 4 * search.momentum ** 2)) / 2;
  const push = turnsBack ? 0 : (search.momentum - 1) / momentum;
  const next = best.map((x, k) => x + push * (x - (before[k] ?? 0)));
  return { ...search, next, best, from, momentum, norm };
}

/** How much the gradient changes along a segment, for each unit of its length. */
function curvatureBetween(
  a: Float64Array,
  gradientA: Float64Array,
  b: Float64Array,
  gradientB: Float64Array,
): number {
  let [change, square] = [0, 0];
  a.forEach((x, k) => {
    const d = (b[k] ?? 0) - x;
    change += d * ((gradientB[k] ?? 0) - (gradientA[k] ?? 0));
    square += d * d;
  });
  return square === 0 ? 0 : change / square;
}
