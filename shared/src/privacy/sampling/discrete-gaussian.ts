import { RegulonError } from '../../errors/index.js';
import { below, type WordSource } from './random-words.js';

/** Largest scale: a value is below 2⁵³ but with a probability that no computer will meet. */
const LARGEST = 2 ** 30;

/**
 * Exact sampler of the discrete Gaussian with whole σ: P(x) ∝ e^{−x²/2σ²} on the integers. Every decision is taken on
 * integers below 2³¹ drawn by rejection, so that no value has a probability that is off by a rounding.
 *
 * With a whole σ the acceptance probability e^{−(|y|−σ)²/2σ²} of a Laplace proposal |y| = u + σ·v, 0 ≤ u < σ, splits into
 * factors e^{−a/b} of small integers: of w = σ − u alone where v = 0, else of u, u·(v−1) and (v−1)².
 *
 * @see Canonne, Kamath & Steinke 2020 (arXiv:2004.00010), Algorithms 1–3
 */
export class DiscreteGaussian {
  /**
   * @param sigma whole number from 1 to 2³⁰
   * @throws E_PRIVACY for another one
   */
  constructor(
    readonly sigma: number,
    private readonly source: WordSource,
  ) {
    if (!Number.isInteger(sigma) || sigma < 1 || sigma > LARGEST)
      throw new RegulonError('E_PRIVACY', `a discrete Gaussian needs a whole σ from 1 to ${LARGEST}`);
  }

  /** One sample. */
  next(): number {
    const { sigma, source } = this;
    for (;;) {
      const u = below(source, sigma);
      if (!this.survives(u)) continue;
      let v = 0;
      while (expMinusOne(source)) v++;
      const negative = source.next() < 0;
      if (negative && u === 0 && v === 0) continue;
      if (!this.accepts(u, v)) continue;
      const size = u + sigma * v;
      return negative ? -size : size;
    }
  }

  /** Bernoulli(e^{−(|y|−σ)²/2σ²}), |y| = u + σ·v */
  private accepts(u: number, v: number): boolean {
    if (v === 0) return this.survivesSquare(this.sigma - u);
    if (!this.survivesSquare(u)) return false;
    for (let k = 1; k < v; k++) if (!this.survives(u)) return false;
    // e^{−(v−1)²/2}: whole units, and a half where the square is odd
    const square = (v - 1) ** 2;
    for (let k = 0; k < Math.floor(square / 2); k++) if (!expMinusOne(this.source)) return false;
    return square % 2 === 0 || expMinusHalf(this.source);
  }

  /** Bernoulli(e^{−u/σ}), 0 ≤ u ≤ σ. @see Algorithm 1: A₁, A₂ … with probabilities (u/σ)/k until one fails */
  private survives(u: number): boolean {
    const { sigma, source } = this;
    for (let k = 1; ; k++) if (below(source, sigma) >= u || below(source, k) !== 0) return k % 2 === 1;
  }

  /** Bernoulli(e^{−w²/2σ²}), 0 ≤ w ≤ σ: the probability w²/2σ²k is one of independent events w/σ, w/σ, ½ and 1/k. */
  private survivesSquare(w: number): boolean {
    const { sigma, source } = this;
    for (let k = 1; ; k++) {
      const goesOn =
        source.next() < 0 && below(source, sigma) < w && below(source, sigma) < w && below(source, k) === 0;
      if (!goesOn) return k % 2 === 1;
    }
  }
}

/** Bernoulli(e⁻¹) */
function expMinusOne(source: WordSource): boolean {
  for (let k = 1; ; k++) if (below(source, k) !== 0) return k % 2 === 1;
}

/** Bernoulli(e^{−½}) */
function expMinusHalf(source: WordSource): boolean {
  for (let k = 1; ; k++) if (source.next() < 0 || below(source, k) !== 0) return k % 2 === 1;
}

/** The least whole σ whose square is at least a variance. */
export function wholeSigma(variance: number): number {
  const sigma = Math.ceil(Math.sqrt(variance));
  return sigma * sigma >= variance ? sigma : sigma + 1;
}
