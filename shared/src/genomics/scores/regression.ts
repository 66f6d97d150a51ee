/** What a site sends of a regression: [n, Σ |e|, Σ e², Σ y, Σ y²]. @param predicted aligned with `truth` */
export function regressionSums(predicted: ArrayLike<number>, truth: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(5);
  for (let unit = 0; unit < truth.length; unit++) {
    const y = truth[unit] ?? NaN;
    const e = (predicted[unit] ?? NaN) - y;
    [1, Math.abs(e), e * e, y, y * y].forEach((x, k) => (sums[k] = (sums[k] ?? 0) + x));
  }
  return sums;
}

/** Mean absolute and squared error and R²; R² is null for a constant target, all are null without units. */
export function regressionScoresOf(
  sums: Float64Array,
): { mae: number; mse: number; r2: number | null } | null {
  const [n = 0, absolute = 0, squared = 0, sum = 0, squares = 0] = sums;
  if (Math.round(n) === 0) return null;
  const spread = squares - (sum * sum) / n;
  return { mae: absolute / n, mse: squared / n, r2: spread > 0 ? 1 - squared / spread : null };
}
