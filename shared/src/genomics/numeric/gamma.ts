/** Beyond this the asymptotic series are exact to rounding. */
const LARGE = 15;
const LANCZOS_0 = 0.99999999999980993;
const LANCZOS: readonly number[] = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** ln Γ(x), x > 0; relative error about 1e-15. @see Lanczos 1964, g = 7; Stirling's series beyond */
export function logGamma(x: number): number {
  if (x > LARGE) {
    const s = 1 / (x * x);
    const tail =
      1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s * (1 / 1188 - (s * 691) / 360360))));
    return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + tail / x;
  }
  const z = x - 1;
  const series = LANCZOS.reduce((sum, c, i) => sum + c / (z + i + 1), LANCZOS_0);
  const t = z + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(series);
}

/** ψ(x), x > 0: derivative of ln Γ. @see Abramowitz & Stegun 6.3.18 */
export function digamma(x: number): number {
  let [z, sum] = [x, 0];
  for (; z < LARGE; z++) sum -= 1 / z;
  const s = 1 / (z * z);
  const tail =
    s * (1 / 12 - s * (1 / 120 - s * (1 / 252 - s * (1 / 240 - s * (1 / 132 - (s * 691) / 32760)))));
  return sum + Math.log(z) - 0.5 / z - tail;
}

/** ψ′(x), x > 0. @see Abramowitz & Stegun 6.4.12 */
export function trigamma(x: number): number {
  let [z, sum] = [x, 0];
  for (; z < LARGE; z++) sum += 1 / (z * z);
  const s = 1 / (z * z);
  const tail = s * (1 / 6 - s * (1 / 30 - s * (1 / 42 - s * (1 / 30 - s * (5 / 66 - (s * 691) / 2730)))));
  return sum + 1 / z + s / 2 + tail / z;
}

/** ψ″(x), x > 0. @see Abramowitz & Stegun 6.4.13 */
function tetragamma(x: number): number {
  let [z, sum] = [x, 0];
  for (; z < LARGE; z++) sum -= 2 / (z * z * z);
  const s = 1 / (z * z);
  const tail = s * s * (1 / 2 - s * (1 / 6 - s * (1 / 6 - s * (3 / 10 - s * (5 / 6 - (s * 691) / 210)))));
  return sum - s - s / z - tail;
}

/**
 * y with ψ′(y) = x, x > 0.
 *
 * @see Smyth 2004, appendix; limma 3.54 `trigammaInverse`
 */
export function trigammaInverse(x: number): number {
  if (x > 1e7) return 1 / Math.sqrt(x);
  if (x < 1e-6) return 1 / x;
  let y = 0.5 + 1 / x;
  for (let step = 0; step < 50; step++) {
    const tri = trigamma(y);
    const change = (tri * (1 - tri / x)) / tetragamma(y);
    y += change;
    if (-change / y < 1e-8) break;
  }
  return y;
}

/**
 * P(χ² > x) with `freedom` degrees of freedom.
 *
 * @see Numerical Recipes 6.2: series below, continued fraction above the mean
 */
export function chiSquaredTail(x: number, freedom: number): number {
  if (x <= 0 || freedom <= 0) return 1;
  const [a, z] = [freedom / 2, x / 2];
  const front = Math.exp(a * Math.log(z) - z - logGamma(a));
  if (z < a + 1) {
    let [term, sum] = [1 / a, 1 / a];
    for (let k = a + 1; term > sum * 1e-17; k++) sum += term *= z / k;
    return 1 - sum * front;
  }
  let b = z + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let i = 1; i < 10_000; i++) {
    const an = -i * (i - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return front * h;
}
