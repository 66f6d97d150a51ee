import { RegulonError } from '../../errors/index.js';

/** A function and its gradient at one place. */
export interface Evaluated {
  readonly value: number;
  readonly gradient: Float64Array;
}

const MEMORY = 20;
const ARMIJO = 1e-4;

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, j) => sum + x * (b[j] ?? 0), 0);
const plus = (a: Float64Array, times: number, b: Float64Array): Float64Array =>
  a.map((x, j) => x + times * (b[j] ?? 0));

interface Step {
  readonly s: Float64Array;
  readonly y: Float64Array;
  readonly rho: number;
}

/**
 * Smallest value of a convex function from its gradients only; each evaluation may be one secure sum.
 *
 * @param tolerance of the Euclidean norm of the gradient
 * @returns the place, its gradient norm and the number of evaluations
 * @throws E_NOT_FINITE when a value is not finite; E_STATE when the gradient stays above the tolerance
 * @see Nocedal & Wright 2006, algorithms 7.4, 7.5
 */
export function minimise(
  evaluate: (at: Float64Array) => Evaluated,
  start: Float64Array,
  tolerance: number,
  mostEvaluations = 1000,
): { at: Float64Array; norm: number; evaluations: number } {
  let at = start;
  let here = evaluate(at);
  let evaluations = 1;
  const steps: Step[] = [];
  const normOf = ({ gradient }: Evaluated): number => Math.sqrt(dot(gradient, gradient));
  while (normOf(here) > tolerance) {
    const direction = descent(here.gradient, steps);
    const slope = dot(direction, here.gradient);
    let size = steps.length > 0 ? 1 : Math.min(1, 1 / normOf(here));
    for (;;) {
      if (evaluations >= mostEvaluations)
        throw new RegulonError('E_STATE', `the gradient is above its tolerance after ${evaluations} sums`);
      const next = plus(at, size, direction);
      const there = evaluate(next);
      evaluations += 1;
      if (Number.isNaN(there.value)) throw new RegulonError('E_NOT_FINITE', 'the loss is not finite');
      // near the optimum values agree to rounding: then a smaller gradient decides
      const isLower = there.value <= here.value + ARMIJO * size * slope;
      const isFlat = Math.abs(there.value - here.value) <= 1e-9 * Math.abs(here.value);
      if (isLower || (isFlat && normOf(there) < normOf(here)) || size < 1e-8) {
        remember(steps, plus(next, -1, at), plus(there.gradient, -1, here.gradient));
        [at, here] = [next, there];
        break;
      }
      size /= 2;
    }
  }
  return { at, norm: normOf(here), evaluations };
}

function remember(steps: Step[], s: Float64Array, y: Float64Array): void {
  const curvature = dot(s, y);
  if (!(curvature > 0)) return;
  steps.push({ s, y, rho: 1 / curvature });
  if (steps.length > MEMORY) steps.shift();
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
