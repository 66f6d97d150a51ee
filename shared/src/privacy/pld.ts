import { RegulonError } from '../errors/index.js';
import { verifyDelta, verifySteps } from './checks.js';
import { type Complex, fft, inverseFft } from './fft.js';
import { type Direction, type LossDistribution, lossOfSampledGaussian } from './loss-distribution.js';

const { atan2, ceil, cos, exp, expm1, floor, hypot, log, log1p, log2, max, min, round, sin } = Math;

/** Steps of the Poisson-subsampled Gaussian mechanism with one rate and one noise multiplier. */
export interface SampledGaussianSteps {
  readonly q: number;
  readonly z: number;
  readonly steps: number;
}

/** Grid width of what is reported. */
export const REPORT_GRID = 1e-4;
/** Grid width of previews: ten times faster, a little above the reported value. */
export const PREVIEW_GRID = 1e-3;

/** Mass beyond the window of a composition on each side; it is charged to δ. */
const TAIL = 1e-14;
/** Orders of the Chernoff bounds that place the window. */
const CHERNOFF = Array.from({ length: 21 }, (_, k) => 2 ** (k / 2 - 3));
const MOST_CELLS = 2 ** 24;

/** A distribution to be composed with itself. */
interface Repeated {
  readonly loss: LossDistribution;
  readonly steps: number;
}

/**
 * ε(δ) by privacy loss distributions: the reported value. Composition is by FFT on a window that leaves out at most
 * 10⁻¹⁴ of mass on either side, which counts as loss without bound.
 *
 * @param events at least one; different rates and noises compose exactly
 * @param h grid width
 * @returns the larger ε of both directions; infinity when δ lies below the mass of unbounded loss
 * @throws E_PRIVACY for rates, noises, steps or δ outside their range
 * @see Koskela et al. 2021 (arXiv:2006.07134); Doroshenko et al. 2022 (arXiv:2207.04380)
 */
export function pldEpsilon(
  events: readonly SampledGaussianSteps[],
  delta: number,
  h: number = REPORT_GRID,
): number {
  verifyDelta(delta);
  return max(...pldsOf(events, h).map((pld) => epsilonOf(pld, delta)));
}

/** δ(ε) by privacy loss distributions, the larger of both directions. @throws E_PRIVACY */
export function pldDelta(
  events: readonly SampledGaussianSteps[],
  epsilon: number,
  h: number = REPORT_GRID,
): number {
  return max(...pldsOf(events, h).map((pld) => deltaOf(pld, epsilon)));
}

/** δ at each of several ε, composed once; the larger of both directions. @throws E_PRIVACY */
export function pldDeltas(
  events: readonly SampledGaussianSteps[],
  epsilons: readonly number[],
  h: number = REPORT_GRID,
): number[] {
  const directions = pldsOf(events, h);
  return epsilons.map((epsilon) => max(...directions.map((pld) => deltaOf(pld, epsilon))));
}

/** The composition in both directions; one is enough when nothing is sampled, as the loss is symmetric. */
function pldsOf(events: readonly SampledGaussianSteps[], h: number): LossDistribution[] {
  if (events.length === 0) throw new RegulonError('E_PRIVACY', 'nothing to account for: no event');
  events.forEach(({ steps }) => verifySteps(steps));
  const directions: Direction[] = events.every(({ q }) => q === 1) ? ['remove'] : ['remove', 'add'];
  return directions.map((direction) =>
    compose(events.map(({ q, z, steps }) => ({ loss: lossOfSampledGaussian(q, z, direction, h), steps }))),
  );
}

function compose(parts: readonly Repeated[]): LossDistribution {
  const [only] = parts;
  if (parts.length === 1 && only?.steps === 1) return only.loss;
  const { h } = parts[0]!.loss;
  const { first, cells } = windowOf(parts, h);
  const n = 2 ** ceil(log2(cells));
  if (n > MOST_CELLS)
    throw new RegulonError('E_PRIVACY', 'this much loss does not fit the accountant: use more noise');
  const total: Complex = { re: new Float64Array(n).fill(1), im: new Float64Array(n) };
  // each loss is placed with its mean at 0, so that phases stay small and powers exact
  let centre = 0;
  for (const { loss, steps } of parts) {
    const shift = round(meanOf(loss) / h);
    centre += shift * steps;
    multiply(total, power(transformOf(loss, shift, n), steps));
  }
  inverseFft(total);
  const mass = new Float64Array(n);
  // what lies outside the window has wrapped around into it
  for (let k = 0; k < n; k++) mass[k] = max(0, total.re[modulo(first + k - centre, n)]!);
  const kept = parts.reduce((log, { loss, steps }) => log + steps * log1p(-loss.infinite), 0);
  return { h, first, mass, infinite: -expm1(kept) + 2 * TAIL };
}

const modulo = (k: number, n: number): number => ((k % n) + n) % n;

function meanOf({ h, first, mass }: LossDistribution): number {
  return mass.reduce((sum, p, k) => sum + p * (first + k) * h, 0);
}

function transformOf({ first, mass }: LossDistribution, shift: number, n: number): Complex {
  const transform = { re: new Float64Array(n), im: new Float64Array(n) };
  mass.forEach((p, k) => (transform.re[modulo(first + k - shift, n)]! += p));
  fft(transform);
  return transform;
}

/** target ← target · factor, element by element. */
function multiply(target: Complex, factor: Complex): void {
  for (let k = 0; k < target.re.length; k++) {
    const [a, b, c, d] = [target.re[k]!, target.im[k]!, factor.re[k]!, factor.im[k]!];
    target.re[k] = a * c - b * d;
    target.im[k] = a * d + b * c;
  }
}

/** base^steps, element by element, in place. */
function power(base: Complex, steps: number): Complex {
  for (let k = 0; k < base.re.length; k++) {
    const size = hypot(base.re[k]!, base.im[k]!) ** steps;
    const angle = atan2(base.im[k]!, base.re[k]!) * steps;
    base.re[k] = size * cos(angle);
    base.im[k] = size * sin(angle);
  }
  return base;
}

/** Grid indices between which all but 2·10⁻¹⁴ of the composition lies. */
function windowOf(parts: readonly Repeated[], h: number): { first: number; cells: number } {
  let [low, high] = [0, 0];
  for (const { loss, steps } of parts) {
    low += steps * loss.first * h;
    high += steps * (loss.first + loss.mass.length - 1) * h;
  }
  const logs = parts.map(({ loss }) => loss.mass.map(log));
  for (const t of CHERNOFF) {
    const room = -log(TAIL);
    high = min(high, (logMoment(parts, logs, t) + room) / t);
    low = max(low, -(logMoment(parts, logs, -t) + room) / t);
  }
  const first = floor(low / h);
  return { first, cells: ceil(high / h) - first + 1 };
}

/** ln E e^{t·loss} of the composition. @param logs of the masses of each part */
function logMoment(parts: readonly Repeated[], logs: readonly Float64Array[], t: number): number {
  return parts.reduce((sum, { loss: { h, first }, steps }, part) => {
    const exponents = logs[part]!.map((log, k) => log + t * (first + k) * h);
    const largest = exponents.reduce((a, b) => max(a, b), -Infinity);
    const total = exponents.reduce((a, b) => a + exp(b - largest), 0);
    return sum + steps * (largest + log(total));
  }, 0);
}

function deltaOf({ h, first, mass, infinite }: LossDistribution, epsilon: number): number {
  let delta = infinite;
  for (let k = mass.length - 1; k >= 0 && (first + k) * h > epsilon; k--)
    delta += mass[k]! * -expm1(epsilon - (first + k) * h);
  return delta;
}

function epsilonOf({ h, first, mass, infinite }: LossDistribution, delta: number): number {
  if (infinite > delta) return Infinity;
  // δ(ε) = above − e^ε·discounted between two grid points
  let [above, discounted] = [infinite, 0];
  for (let k = mass.length - 1; k >= 0; k--) {
    const loss = (first + k) * h;
    if (above - exp(loss) * discounted > delta) break;
    if (loss < 0) return 0;
    above += mass[k]!;
    discounted += mass[k]! * exp(-loss);
  }
  return above > delta ? max(0, log((above - delta) / discounted)) : 0;
}
