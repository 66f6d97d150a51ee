const { exp, log, sqrt } = Math;

/** Terms of the continued fraction of erfcx; at x = 2, where it starts to be used, 60 are exact to rounding. */
const FRACTION_TERMS = 60;
const SQRT_PI = sqrt(Math.PI);

/**
 * Scaled complementary error function e^{x²}·erfc(x); relative error below 1e-13.
 *
 * @param x any; below −26 the result overflows to infinity
 * @see Abramowitz & Stegun 7.1.6 (series) and 7.1.14 (continued fraction)
 */
export function erfcx(x: number): number {
  if (x < 0) return 2 * exp(x * x) - erfcx(-x);
  if (x < 2) return exp(x * x) - scaledErf(x);
  let tail = x;
  for (let n = FRACTION_TERMS; n > 0; n--) tail = x + n / 2 / tail;
  return 1 / (SQRT_PI * tail);
}

/** e^{x²}·erf(x) for 0 ≤ x < 2: a series of positive terms. */
function scaledErf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; term > sum * 1e-17; n++) sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / SQRT_PI) * sum;
}

/** ln erfc(x), also where erfc underflows. */
export function logErfc(x: number): number {
  return x > 0 ? log(erfcx(x)) - x * x : log(2 - exp(-x * x) * erfcx(-x));
}

/** ln Φ(x): logarithm of the standard normal distribution function. */
export function logNormalCdf(x: number): number {
  return logErfc(-x / Math.SQRT2) - Math.LN2;
}

/** Φ(x); relative error below 1e-13 also in the lower tail. */
export function normalCdf(x: number): number {
  const t = -x / Math.SQRT2;
  return t > 0 ? (exp(-t * t) * erfcx(t)) / 2 : 1 - (exp(-t * t) * erfcx(-t)) / 2;
}

/** Φ(b) − Φ(a), a ≤ b, from the tail in which nothing cancels. */
export function normalBetween(a: number, b: number): number {
  return a > 0 ? normalCdf(-a) - normalCdf(-b) : normalCdf(b) - normalCdf(a);
}
