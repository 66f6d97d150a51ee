/** A curve through points of ascending x. */
export interface Curve {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

const ROBUST_STEPS = 3;

interface Window {
  left: number;
  right: number;
}

/**
 * Locally weighted regression, as R's `lowess(x, y, f)` computes it: three robust steps, points closer than a hundredth of
 * the range interpolated.
 *
 * @param span share of the points in a window, 0 to 1
 * @returns the points in ascending x with the smoothed y; the caller owns them
 * @see Cleveland 1979; `clowess` of R 4
 */
export function lowess(xs: Float64Array, ys: Float64Array, span: number): Curve {
  const order = Uint32Array.from(xs.keys()).sort((a, b) => (xs[a] ?? 0) - (xs[b] ?? 0) || a - b);
  const x = Float64Array.from(order, (i) => xs[i] ?? NaN);
  const y = Float64Array.from(order, (i) => ys[i] ?? NaN);
  const n = x.length;
  const size = Math.max(2, Math.min(n, Math.floor(span * n + 1e-7)));
  const delta = 0.01 * ((x[n - 1] ?? 0) - (x[0] ?? 0));
  let robust: Float64Array | null = null;
  let smooth: Float64Array = new Float64Array(n);
  for (let step = 0; step <= ROBUST_STEPS; step++) {
    smooth = pass(x, y, size, delta, robust);
    if (step === ROBUST_STEPS) break;
    robust = robustWeights(y.map((value, i) => Math.abs(value - (smooth[i] ?? 0))));
    if (!robust) break;
  }
  return { x, y: smooth };
}

/** One pass over the points; those between two fitted ones are interpolated. */
function pass(
  x: Float64Array,
  y: Float64Array,
  size: number,
  delta: number,
  robust: Float64Array | null,
): Float64Array {
  const n = x.length;
  const at = (i: number): number => x[i] ?? NaN;
  const smooth = new Float64Array(n);
  const window: Window = { left: 0, right: size - 1 };
  let last = -1;
  for (let i = 0; last < n - 1;) {
    while (window.right < n - 1 && at(i) - at(window.left) > at(window.right + 1) - at(i)) {
      window.left++;
      window.right++;
    }
    smooth[i] = fitAt(x, y, at(i), window, robust) ?? y[i] ?? NaN;
    for (let j = last + 1; last >= 0 && j < i; j++) {
      const share = (at(j) - at(last)) / (at(i) - at(last));
      smooth[j] = share * (smooth[i] ?? 0) + (1 - share) * (smooth[last] ?? 0);
    }
    last = i;
    const cut = at(last) + delta;
    for (i = last + 1; i < n && at(i) <= cut; i++) {
      if (at(i) !== at(last)) continue;
      smooth[i] = smooth[last] ?? 0;
      last = i;
    }
    i = Math.max(last + 1, i - 1);
  }
  return smooth;
}

/** Weighted line at one place; null when all weights vanish. */
function fitAt(
  x: Float64Array,
  y: Float64Array,
  place: number,
  { left, right }: Window,
  robust: Float64Array | null,
): number | null {
  const n = x.length;
  const h = Math.max(place - (x[left] ?? 0), (x[right] ?? 0) - place);
  const weights: number[] = [];
  let total = 0;
  for (let j = left; j < n; j++) {
    const distance = Math.abs((x[j] ?? 0) - place);
    if (distance > 0.999 * h) {
      if ((x[j] ?? 0) > place) break;
      weights.push(0);
      continue;
    }
    const near = distance <= 0.001 * h ? 1 : (1 - (distance / h) ** 3) ** 3;
    const weight = near * (robust ? (robust[j] ?? 0) : 1);
    weights.push(weight);
    total += weight;
  }
  if (total <= 0) return null;
  const sum = (term: (j: number) => number): number =>
    weights.reduce((s, w, k) => s + (w / total) * term(left + k), 0);
  const xs = (j: number): number => x[j] ?? 0;
  const mean = sum(xs);
  const spread = sum((j) => (xs(j) - mean) ** 2);
  const range = (x[n - 1] ?? 0) - (x[0] ?? 0);
  const slope = h > 0 && Math.sqrt(spread) > 0.001 * range ? (place - mean) / spread : 0;
  return sum((j) => (slope * (xs(j) - mean) + 1) * (y[j] ?? 0));
}

/** Bisquare weights of absolute residuals; null when they are all but zero. */
function robustWeights(residuals: Float64Array): Float64Array | null {
  const n = residuals.length;
  const sorted = residuals.slice().sort();
  const middle = n >> 1;
  const scale = 3 * ((sorted[middle] ?? 0) + (sorted[n % 2 === 0 ? n - middle - 1 : middle] ?? 0));
  const mean = residuals.reduce((a, b) => a + b, 0) / n;
  if (scale < 1e-7 * mean) return null;
  return residuals.map((r) => {
    if (r <= 0.001 * scale) return 1;
    return r <= 0.999 * scale ? (1 - (r / scale) ** 2) ** 2 : 0;
  });
}

/** Points of equal x become one, with their mean y; a curve to be read by `interpolated`. */
export function distinct({ x, y }: Curve): Curve {
  const [xs, ys]: [number[], number[]] = [[], []];
  for (let from = 0; from < x.length;) {
    let to = from;
    let sum = 0;
    for (; to < x.length && x[to] === x[from]; to++) sum += y[to] ?? 0;
    xs.push(x[from] ?? 0);
    ys.push(sum / (to - from));
    from = to;
  }
  return { x: Float64Array.from(xs), y: Float64Array.from(ys) };
}

/** Value of a curve of distinct points at some place: linear between them, constant beyond. */
export function interpolated({ x, y }: Curve, place: number): number {
  const last = x.length - 1;
  if (place <= (x[0] ?? 0)) return y[0] ?? NaN;
  if (place >= (x[last] ?? 0)) return y[last] ?? NaN;
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((x[middle] ?? 0) <= place) low = middle;
    else high = middle;
  }
  const [x0, x1, y0, y1] = [x[low] ?? 0, x[high] ?? 0, y[low] ?? 0, y[high] ?? 0];
  return y0 + (y1 - y0) * ((place - x0) / (x1 - x0));
}
