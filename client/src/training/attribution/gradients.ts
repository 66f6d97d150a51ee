import type { Explained, Question } from './explained.js';

/** How far the output moves with each number: |∂f/∂x|. @returns [inputs] @see Simonyan et al. 2013 */
export function saliency(model: Explained, { unit, output }: Question): Float64Array {
  return model.gradientsOf(present(model, unit), output).gradients.map(Math.abs);
}

/** x ⊙ ∂f/∂x. @returns [inputs] @see Shrikumar et al. 2016 */
export function gradientTimesInput(model: Explained, { unit, output }: Question): Float64Array {
  const x = present(model, unit);
  return model.gradientsOf(x, output).gradients.map((slope, i) => slope * x[i]!);
}

/** The unit with zeros where it has no values. */
function present(model: Explained, unit: Float64Array): Float64Array {
  return model.endsOf(unit, unit).to;
}
