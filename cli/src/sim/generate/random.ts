import { sha256, utf8 } from '@regulon/shared/crypto';

/**
 * Deterministic random numbers for simulated data (xoshiro128**); never for keys, masks or noise.
 *
 * Each purpose has its own stream, so that one more site changes no other site's data.
 *
 * @see Blackman and Vigna 2021, Scrambled linear pseudorandom number generators
 */
export class Random {
  // four numbers, not an array: this is the inner loop of the simulation
  private a: number;
  private b: number;
  private c: number;
  private d: number;
  private spare: number | undefined;

  /** @param purpose names the stream, for example `site-1/counts` */
  constructor(seed: number, purpose: string) {
    const digest = sha256(utf8(`regulon/simulation/${seed}/${purpose}`));
    const view = new DataView(digest.buffer, digest.byteOffset);
    [this.a, this.b, this.c, this.d] = [
      view.getInt32(0),
      view.getInt32(4),
      view.getInt32(8),
      view.getInt32(12),
    ];
  }

  /** Uniform in the open interval (0, 1), 32 bits. */
  uniform(): number {
    const result = Math.imul(rotate(Math.imul(this.b, 5), 7), 9) >>> 0;
    const shifted = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= shifted;
    this.d = rotate(this.d, 11);
    return (result + 0.5) / 2 ** 32;
  }

  /** Normal with a mean and a standard deviation. @see Marsaglia and Bray 1964, the polar method */
  normal(mean = 0, sd = 1): number {
    const spare = this.spare;
    if (spare !== undefined) {
      this.spare = undefined;
      return mean + sd * spare;
    }
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const q = u * u + v * v;
      if (q >= 1 || q === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(q)) / q);
      this.spare = v * scale;
      return mean + sd * u * scale;
    }
  }

  /** Gamma of a shape, scale 1. @see Marsaglia and Tsang 2000 */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * this.uniform() ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const root = 1 + c * x;
      if (root <= 0) continue;
      const v = root * root * root;
      const u = this.uniform();
      const xx = x * x;
      if (u < 1 - 0.0331 * xx * xx) return d * v;
      if (Math.log(u) < 0.5 * xx + d - d * v + d * Math.log(v)) return d * v;
    }
  }

  /** Poisson; above 15 by the square of a normal, whose error no simulated count shows. */
  poisson(mean: number): number {
    if (mean > 15) {
      const root = Math.sqrt(mean) + this.normal() / 2;
      return Math.round(root * root - 0.25);
    }
    const limit = Math.exp(-mean);
    let product = this.uniform();
    let count = 0;
    while (product > limit) {
      product *= this.uniform();
      count++;
    }
    return count;
  }

  /** Negative binomial: variance = mean + dispersion · mean². */
  negativeBinomial(mean: number, dispersion: number): number {
    return this.poisson(mean * this.gamma(1 / dispersion) * dispersion);
  }

  /** Integer in [from, to]. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.uniform() * (to - from + 1));
  }

  /** Position drawn in proportion to some weights. */
  choose(weights: readonly number[]): number {
    let left = this.uniform() * weights.reduce((a, b) => a + b, 0);
    const found = weights.findIndex((weight) => (left -= weight) < 0);
    return found < 0 ? weights.length - 1 : found;
  }
}

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
