/** Two numbers a unit, and the share of the variance on each axis. */
export interface Components {
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly shares: readonly [number, number];
}

const ROUNDS = 60;

/**
 * The first two principal components of centred data, by power iteration; signs: the largest loading is positive.
 *
 * @param values row-major [units, genes], centred by gene; not changed
 */
export function principalComponents(values: Float64Array, units: number, genes: number): Components {
  const total = values.reduce((sum, x) => sum + x * x, 0);
  const axes: Float64Array[] = [];
  for (let k = 0; k < 2; k++) {
    let axis: Float64Array = Float64Array.from(
      { length: genes },
      (_, g) => 1 + ((g * 7919 + k * 104_729) % 97) / 97,
    );
    for (let round = 0; round < ROUNDS; round++) {
      axis = backwards(values, forwards(values, axis, units), genes);
      for (const earlier of axes) subtract(axis, earlier);
      normalise(axis);
    }
    axes.push(signed(axis));
  }
  const [first, second] = axes.map((axis) => forwards(values, axis, units));
  const share = (scores: Float64Array): number =>
    total === 0 ? 0 : scores.reduce((sum, x) => sum + x * x, 0) / total;
  const none = new Float64Array(units);
  const [a, b] = [first ?? none, second ?? none];
  return { first: a, second: b, shares: [share(a), share(b)] };
}

function forwards(values: Float64Array, axis: Float64Array, units: number): Float64Array {
  const genes = axis.length;
  return Float64Array.from({ length: units }, (_, u) => {
    let sum = 0;
    for (let g = 0; g < genes; g++) sum += (values[u * genes + g] ?? 0) * (axis[g] ?? 0);
    return sum;
  });
}

function backwards(values: Float64Array, scores: Float64Array, genes: number): Float64Array {
  const axis = new Float64Array(genes);
  scores.forEach((score, u) => {
    for (let g = 0; g < genes; g++) axis[g] = (axis[g] ?? 0) + (values[u * genes + g] ?? 0) * score;
  });
  return axis;
}

function subtract(axis: Float64Array, earlier: Float64Array): void {
  const along = axis.reduce((sum, x, i) => sum + x * (earlier[i] ?? 0), 0);
  earlier.forEach((x, i) => (axis[i] = (axis[i] ?? 0) - along * x));
}

function normalise(axis: Float64Array): void {
  const length = Math.hypot(...axis);
  if (length > 0) axis.forEach((x, i) => (axis[i] = x / length));
}

function signed(axis: Float64Array): Float64Array {
  const largest = axis.reduce((best, x) => (Math.abs(x) > Math.abs(best) ? x : best), 0);
  return largest < 0 ? axis.map((x) => -x) : axis;
}
