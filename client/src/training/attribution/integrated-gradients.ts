import type { Explained, Question } from './explained.js';
import type { Quadrature } from './quadrature.js';

/** Attributions, and what they miss of the difference that they explain. */
export interface PathAttribution {
  /** [inputs] */
  readonly values: Float64Array;
  /** Σ values − (f(unit) − f(baseline)): the error of the rule and of the model's arithmetic */
  readonly gap: number;
  /** f(unit) − f(baseline) */
  readonly difference: number;
}

/**
 * (x − x₀) ⊙ ∫ ∂f/∂x along the straight line from a baseline x₀ to the unit x.
 *
 * @param baseline [inputs], the federated mean profile
 * @see Sundararajan et al. 2017
 */
export function integratedGradients(
  model: Explained,
  { unit, output }: Question,
  baseline: Float64Array,
  { nodes, weights }: Quadrature,
): PathAttribution {
  const { inputs } = model;
  const { from, to } = model.endsOf(unit, baseline);
  const way = to.map((end, i) => end - from[i]!);
  const points = new Float64Array(nodes.length * inputs);
  nodes.forEach((t, k) =>
    points.set(
      from.map((start, i) => start + t * way[i]!),
      k * inputs,
    ),
  );
  const { gradients } = model.gradientsOf(points, output);
  const values = way.map((step, i) => {
    let slope = 0;
    for (let k = 0; k < nodes.length; k++) slope += weights[k]! * gradients[k * inputs + i]!;
    return step * slope;
  });
  const difference = valueAt(model, to, output) - valueAt(model, from, output);
  return { values, difference, gap: values.reduce((sum, a) => sum + a, 0) - difference };
}

/**
 * Mean of the integrated gradients from each unit of a background: Shapley values of a player who is absent as another
 * patient is. The attributions add up to f(unit) minus the mean of f over the background.
 *
 * @param background units of this site, each [inputs]; at least one
 * @see Erion et al. 2021
 */
export function expectedGradients(
  model: Explained,
  question: Question,
  background: readonly Float64Array[],
  rule: Quadrature,
): PathAttribution {
  const values = new Float64Array(model.inputs);
  let [difference, gap] = [0, 0];
  for (const baseline of background) {
    const one = integratedGradients(model, question, baseline, rule);
    one.values.forEach((a, i) => (values[i] = values[i]! + a / background.length));
    difference += one.difference / background.length;
    gap += one.gap / background.length;
  }
  return { values, difference, gap };
}

function valueAt(model: Explained, row: Float64Array, output: number): number {
  return model.outputsOf(row)[output]!;
}
