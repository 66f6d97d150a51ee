import { logGamma } from './gamma.js';

const TINY = 1e-300;

/** Continued fraction of the incomplete beta function. @see Lentz; Numerical Recipes 6.4 */
function betaFraction(x: number, a: number, b: number): number {
  const guard = (value: number): number => (Math.abs(value) < TINY ? TINY : value);
  let c = 1;
  let d = 1 / guard(1 - ((a + b) * x) / (a + 1));
  let h = d;
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guard(1 + even * d);
    c = guard(1 + even / c);
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guard(1 + odd * d);
    c = guard(1 + odd / c);
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return h;
}

/** Regularised incomplete beta function Iₓ(a, b), 0 ≤ x ≤ 1; small values keep their relative precision. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2)
    ? (front * betaFraction(x, a, b)) / a
    : 1 - (front * betaFraction(1 - x, b, a)) / b;
}

/** P(|T| > |t|) of Student's t with `df` degrees of freedom, df > 0. */
export function twoSided(t: number, df: number): number {
  return incompleteBeta(df / (df + t * t), df / 2, 0.5);
}

/** t ≥ 0 with P(|T| > t) = p, 0 < p ≤ 1, by bisection to rounding. */
export function quantileTwoSided(p: number, df: number): number {
  let [low, high] = [0, 1];
  while (twoSided(high, df) > p) high *= 2;
  for (let step = 0; step < 200 && high - low > 1e-16 * high; step++) {
    const middle = (low + high) / 2;
    if (twoSided(middle, df) > p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
