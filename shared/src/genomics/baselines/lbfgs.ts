import { RegulonError } from '../../errors/index.js';

/** A function and its gradient at one place. */
export interface Evaluated {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** A search for the smallest value of a convex function, between two evaluations. */
export interface Search {
  /** where the function is to be evaluated next; after the end the best place */
  readonly next: Float64Array;
  /** best place so far and what was found there; null before the first evaluation */
  readonly best: (Evaluated & { readonly at: Float64Array }) | null;
  readonly direction: Float64Array;
  /** length of the step from `best` to `next`, in directions */
  readonly size: number;
  readonly steps: readonly Step[];
  /** Euclidean norm of the gradient at the best place */
  readonly norm: number;
  readonly isDone: boolean;
}

interface Step {
  readonly s: Float64Array;
  readonly y: Float64Array;
  readonly rho: number;
}

const MEMORY = 20;
const ARMIJO = 1e-4;

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += (a[j] ?? 0) * (b[j] ?? 0);
  return sum;
};
const plus = (a: Float64Array, times: number, b: Float64Array): Float64Array =>
  a.map((x, j) => x + times * (b[j] ?? 0));

/** A search that has not seen its function. */
export const searchFrom = (start: Float64Array): Search => ({
  ...{ next: start, best: null, direction: new Float64Array(start.length), size: 0, steps: [] },
  ...{ norm: Infinity, isDone: false },
});

/**
 * The search after one evaluation at `search.next`; a finished search stays as it is.
 *
 * @param tolerance of the Euclidean norm of the gradient
 * @throws E_NOT_FINITE when the value is NaN
 * @see Nocedal & Wright 2006, algorithms 7.4, 7.5, with backtracking
 */
export function searched(search: Search, here: Evaluated, tolerance: number): Search {
  const { best, direction, size, next, isDone } = search;
  if (isDone) return search;
  if (Number.isNaN(here.value)) throw new RegulonError('E_NOT_FINITE', 'the loss is not finite');
  if (!best) return onwards(search, next, here, [], tolerance);
  const norm = Math.sqrt(dot(here.gradient, here.gradient));
  // near the optimum values agree to rounding: then a smaller gradient decides
  const isLower = here.value <= best.value + ARMIJO * size * dot(direction, best.gradient);
  const isFlat = Math.abs(here.value - best.value) <= 1e-9 * Math.abs(best.value);
  if (!isLower && !(isFlat && norm < search.norm) && size >= 1e-8)
    return { ...search, size: size / 2, next: plus(best.at, size / 2, direction) };
  const steps = remembered(search.steps, plus(next, -1, best.at), plus(here.gradient, -1, best.gradient));
  return onwards(search, next, here, steps, tolerance);
}

/** From an accepted place: the next direction, or the end. */
function onwards(
  search: Search,
  at: Float64Array,
  here: Evaluated,
  steps: readonly Step[],
  tolerance: number,
): Search {
  const norm = Math.sqrt(dot(here.gradient, here.gradient));
  const accepted = { ...search, best: { at, ...here }, steps, norm };
  if (norm <= tolerance) return { ...accepted, next: at, isDone: true };
  const direction = descent(here.gradient, steps);
  const size = steps.length > 0 ? 1 : Math.min(1, 1 / norm);
  return { ...accepted, direction, size, next: plus(at, size, direction) };
}

/**
 * Smallest value of a convex function from its gradients only; each evaluation may be one secure sum.
 *
 * @param tolerance of the Euclidean norm of the gradient
 * @returns the place, its gradient norm and the number of evaluations
 * @throws E_NOT_FINITE when a value is not finite; E_STATE when the gradient stays above the tolerance
 */
export function minimise(
  evaluate: (at: Float64Array) => Evaluated,
  start: Float64Array,
  tolerance: number,
  mostEvaluations = 1000,
): { at: Float64Array; norm: number; evaluations: number } {
  let search = searchFrom(start);
  for (let evaluations = 0; ; evaluations++) {
    if (search.isDone) return { at: search.next, norm: search.norm, evaluations };
    if (evaluations >= mostEvaluations)
      throw new RegulonError('E_STATE', `the gradient is above its tolerance after ${evaluations} sums`);
    search = searched(search, evaluate(search.next), tolerance);
  }
}

function remembered(steps: readonly Step[], s: Float64Array, y: Float64Array): readonly Step[] {
  const curvature = dot(s, y);
  return curvature > 0 ? [...steps, { s, y, rho: 1 / curvature }].slice(-MEMORY) : steps;
}

/** −H·gradient by the two loops. */
function descent(gradient: Float64Array, steps: readonly Step[]): Float64Array {
  let q: Float64Array = gradient;
  const alphas = new Map<Step, number>();
  for (const step of [...steps].reverse()) {
    const alpha = step.rho * dot(step.s, q);
    alphas.set(step, alpha);
    q = plus(q, -alpha, step.y);
  }
  const last = steps.at(-1);
  const scale = last ? dot(last.s, last.y) / dot(last.y, last.y) : 1;
  let r: Float64Array = q.map((x) => x * scale);
  for (const step of steps) r = plus(r, (alphas.get(step) ?? 0) - step.rho * dot(step.y, r), step.s);
  return r.map((x) => -x);
}
