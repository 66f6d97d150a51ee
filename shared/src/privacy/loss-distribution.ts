import { RegulonError } from '../errors/index.js';
import { verifyNoise, verifyRate } from './checks.js';
import { normalBetween, normalCdf } from './normal.js';

const { ceil, exp, expm1, floor, log, log1p, max, min } = Math;

/** Standard deviations of a Gaussian beyond which its tail, e⁻⁵⁰, is lumped. */
const TAIL = 9.9;
/** Cells of the largest grid: 128 MiB a vector. */
const MOST_CELLS = 2 ** 24;

/** Whether the neighbouring dataset has one unit less or one more. */
export type Direction = 'remove' | 'add';

/** A distribution of the privacy loss on the grid of multiples of h. */
export interface LossDistribution {
  /** grid width */
  readonly h: number;
  /** the first mass is of the loss `first`·h */
  readonly first: number;
  /** probabilities under the upper distribution P */
  readonly mass: Float64Array;
  /** probability that the loss is taken as infinite */
  readonly infinite: number;
}

/**
 * Privacy loss of one step of the Poisson-subsampled Gaussian mechanism, discretised by connecting the dots: the result
 * dominates the mechanism and has its exact hockey-stick divergence at each multiple of h.
 *
 * @param q sampling rate, 0 < q ≤ 1
 * @param z noise multiplier, > 0
 * @param h grid width
 * @throws E_PRIVACY for another q or z, or when z is so small that the grid grows beyond bounds
 * @see Doroshenko et al. 2022 (arXiv:2207.04380)
 */
export function lossOfSampledGaussian(
  q: number,
  z: number,
  direction: Direction,
  h: number,
): LossDistribution {
  verifyRate(q);
  verifyNoise(z);
  const pair = { q, z, direction };
  const [low, high] = lossRange(pair);
  const first = floor(low / h);
  const cells = ceil(high / h) - first;
  if (cells > MOST_CELLS)
    throw new RegulonError('E_PRIVACY', `z = ${z} is too little noise to account for on a grid of ${h}`);
  return connectDots(pair, { h, first, cells });
}

interface Pair {
  readonly q: number;
  readonly z: number;
  readonly direction: Direction;
}

/** The losses between which all but the tails lie. */
function lossRange({ q, z, direction }: Pair): [number, number] {
  const loss = (x: number): number => {
    const a = (2 * x - 1) / (2 * z * z);
    if (q === 1) return a;
    // ln((1−q) + q·eᵃ), without overflow
    return a > 0 ? a + log(q + (1 - q) * exp(-a)) : log1p(q * expm1(a));
  };
  const [left, right] = [-TAIL * z, TAIL * z];
  // under P the mixture reaches a unit further, under Q of `add` too
  return direction === 'remove' ? [loss(left), loss(right + 1)] : [-loss(right + 1), -loss(left)];
}

/** Output of the mechanism at which ln(mixture / Gaussian) is a given value; −∞ below its infimum ln(1−q). */
function outputAt({ q, z }: Pair, logRatio: number): number {
  if (q === 1) return z * z * logRatio + 0.5;
  // (e^l − (1−q)) / q = 1 + (e^l − 1) / q
  const excess = expm1(logRatio) / q;
  if (excess <= -1) return -Infinity;
  // beyond 700 e^l overflows, and the logarithm is l − ln q
  const logLikelihood = logRatio > 700 ? logRatio - log(q) : log1p(excess);
  return z * z * logLikelihood + 0.5;
}

/** Probabilities of outputs in (a, b] under N(0, z²) and under the mixture. */
function massesBetween({ q, z }: Pair, a: number, b: number): { plain: number; mixed: number } {
  const plain = normalBetween(a / z, b / z);
  return { plain, mixed: (1 - q) * plain + q * normalBetween((a - 1) / z, (b - 1) / z) };
}

function connectDots(
  pair: Pair,
  { h, first, cells }: { h: number; first: number; cells: number },
): LossDistribution {
  const mass = new Float64Array(cells + 1);
  const remove = pair.direction === 'remove';
  // of `add` the loss is the negative: the outputs run downwards as the loss grows
  const edge = (k: number): number => outputAt(pair, remove ? k * h : -k * h);
  const shrink = -expm1(-h);
  let previous = edge(first);
  for (let k = 1; k <= cells; k++) {
    const next = edge(first + k);
    const { plain, mixed } = massesBetween(pair, min(previous, next), max(previous, next));
    const [p, r] = remove ? [mixed, plain] : [plain, mixed];
    const scaled = r === 0 ? 0 : r * exp((first + k - 1) * h);
    const right = min(p, max(0, (p - scaled) / shrink));
    mass[k]! += right;
    mass[k - 1]! += p - right;
    previous = next;
  }
  const upper = (x: number): number => mixedAbove(pair, x, remove);
  const lower = (x: number): number => mixedBelow(pair, x, remove);
  mass[0]! += remove ? lower(edge(first)) : upper(edge(first));
  return { h, first, mass, infinite: remove ? upper(previous) : lower(previous) };
}

/** Mass of P above an output. */
function mixedAbove({ q, z }: Pair, x: number, mixture: boolean): number {
  const plain = normalCdf(-x / z);
  return mixture ? (1 - q) * plain + q * normalCdf((1 - x) / z) : plain;
}

/** Mass of P below an output. */
function mixedBelow({ q, z }: Pair, x: number, mixture: boolean): number {
  const plain = normalCdf(x / z);
  return mixture ? (1 - q) * plain + q * normalCdf((x - 1) / z) : plain;
}
