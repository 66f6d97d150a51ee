import type { WeightSpec } from '@regulon/shared/models';
import { toNoisyMean } from '@regulon/shared/privacy';
import type { Normals } from './normals.js';

/** Clipped gradients of one step, and the noisy mean that becomes of them: the same memory for every step. */
export class StepSum {
  /** [size] of each weight: the sum until noise is added, then the mean; zeros where nothing is trained */
  readonly means: readonly Float32Array[];
  /** of steps that take several passes: their sum in float64 */
  private readonly total: Float64Array | undefined;

  /** @param isOnePass a step never takes more than one pass: what it gives is the sum */
  constructor(
    private readonly specs: readonly WeightSpec[],
    isOnePass: boolean,
  ) {
    this.means = specs.map(({ size }) => new Float32Array(size));
    this.total = isOnePass ? undefined : new Float64Array(specs.reduce((n, { size }) => n + size, 0));
  }

  /** Before the first pass of a step. */
  clear(): void {
    if (this.total) this.total.fill(0);
    else for (const mean of this.means) mean.fill(0);
  }

  /** What a pass gives for a weight. */
  add(spec: number, gradient: Float32Array): void {
    const { offset, size, trainable } = this.specs[spec]!;
    if (!trainable) return;
    const { total } = this;
    if (!total) return this.means[spec]!.set(gradient);
    for (let i = 0; i < size; i++) total[offset + i] = total[offset + i]! + gradient[i]!;
  }

  /**
   * (Σ + noise) / denominator of what is trained, in `means`.
   *
   * @throws E_TRAINER_CRASH when what draws the noise has ended
   */
  async addNoise(normals: Normals, noise: Parameters<typeof toNoisyMean>[3]): Promise<void> {
    for (const [s, { offset, size, trainable }] of this.specs.entries()) {
      const mean = this.means[s]!;
      const sum = this.total?.subarray(offset, offset + size) ?? mean;
      for (let at = 0; trainable && at < size;) {
        const drawn = await normals.next(size - at);
        const to = at + drawn.length;
        toNoisyMean(sum.subarray(at, to), drawn, mean.subarray(at, to), noise);
        at = to;
      }
    }
  }
}
