/** Series made ready for one-step forecasts; arrays are row-major [n, steps − 1]. */
export interface ForecastSeries {
  /** kept series: those with a value among the training steps */
  readonly n: number;
  readonly steps: number;
  readonly inputs: Float32Array;
  readonly targets: Float32Array;
  /** 1 where a target counts */
  readonly weights: Float32Array;
}

/** First step that is a target in training: two values must have been seen. */
const FIRST_TARGET = 2;

/**
 * Training pairs (x_t → x_{t+1}) of the first `steps − horizon` steps.
 *
 * Missing steps are interpolated linearly between observed training steps, the ends filled with the nearest one; a
 * target counts from the third step on, if it was observed.
 *
 * @param values [n, steps]; what stands at a missing step is not read
 * @param mask [n, steps], 1 = observed
 */
export function trainingSeries(
  values: Float32Array,
  mask: Float32Array,
  shape: { n: number; steps: number; horizon: number },
): ForecastSeries {
  const cut = shape.steps - shape.horizon;
  return build(values, mask, shape, cut, (row, t) => t >= FIRST_TARGET && mask[row * shape.steps + t] === 1);
}

/**
 * Inputs of all steps with the observed values of the last `horizon` steps as targets.
 *
 * Training steps are interpolated as in training; a missing test step carries the value before it forward.
 */
export function testSeries(
  values: Float32Array,
  mask: Float32Array,
  shape: { n: number; steps: number; horizon: number },
): ForecastSeries {
  const cut = shape.steps - shape.horizon;
  const counts = (row: number, t: number) => t >= cut && mask[row * shape.steps + t] === 1;
  return build(values, mask, shape, shape.steps, counts);
}

function build(
  values: Float32Array,
  mask: Float32Array,
  { n, steps, horizon }: { n: number; steps: number; horizon: number },
  length: number,
  counts: (row: number, step: number) => boolean,
): ForecastSeries {
  const cut = steps - horizon;
  const kept = Array.from({ length: n }, (_, row) => row).filter((row) => observed(mask, row, steps, cut));
  const width = length - 1;
  const inputs = new Float32Array(kept.length * width);
  const targets = new Float32Array(kept.length * width);
  const weights = new Float32Array(kept.length * width);
  kept.forEach((row, i) => {
    const filled = fill(values, mask, row, steps, cut);
    for (let t = 0; t < width; t++) {
      inputs[i * width + t] = filled[t]!;
      targets[i * width + t] = filled[t + 1]!;
      weights[i * width + t] = counts(row, t + 1) ? 1 : 0;
    }
  });
  return { n: kept.length, steps: width, inputs, targets, weights };
}

function observed(mask: Float32Array, row: number, steps: number, cut: number): boolean {
  for (let t = 0; t < cut; t++) if (mask[row * steps + t] === 1) return true;
  return false;
}

/** One series without gaps; steps before `cut` never depend on later ones. */
function fill(
  values: Float32Array,
  mask: Float32Array,
  row: number,
  steps: number,
  cut: number,
): Float64Array {
  const at = row * steps;
  const filled = new Float64Array(steps);
  let last = -1;
  for (let t = 0; t < cut; t++) {
    if (mask[at + t] !== 1) continue;
    const value = values[at + t]!;
    const before = last < 0 ? value : filled[last]!;
    for (let i = last + 1; i < t; i++) filled[i] = before + ((value - before) * (i - last)) / (t - last);
    filled[t] = value;
    last = t;
  }
  for (let t = last + 1; t < steps; t++) {
    filled[t] = t >= cut && mask[at + t] === 1 ? values[at + t]! : filled[t - 1]!;
  }
  return filled;
}
