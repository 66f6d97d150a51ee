import type { WeightSpec } from '@regulon/shared/models';
import type { OptimizerOptions } from './job.js';

/** Changes flat weights from flat gradients, weight by weight of the manifest. */
export interface Optimiser {
  /**
   * One step, in place.
   *
   * @param weights flat [P]
   * @param gradients one array per weight, manifest order; not changed
   * @param scale factor of every gradient (mean over targets, clipping)
   */
  step(weights: Float32Array, gradients: readonly Float32Array[], scale: number): void;
}

/**
 * A fresh optimiser: its state never leaves the round.
 *
 * @see Kingma & Ba 2015, Algorithm 1; weight decay as L2 term of the gradient, on kernels only
 */
export function optimiserOf(options: OptimizerOptions, specs: readonly WeightSpec[]): Optimiser {
  switch (options.name) {
    case 'adam':
      return new Adam(options, specs);
    case 'sgd':
      return new Sgd(options, specs);
  }
}

/** True if a weight decays: kernels do, biases do not. */
export function decays(spec: WeightSpec): boolean {
  return !spec.name.endsWith('/bias');
}

class Sgd implements Optimiser {
  constructor(
    private readonly options: Extract<OptimizerOptions, { name: 'sgd' }>,
    private readonly specs: readonly WeightSpec[],
  ) {}

  step(weights: Float32Array, gradients: readonly Float32Array[], scale: number): void {
    const { learningRate, weightDecay = 0 } = this.options;
    this.specs.forEach((spec, s) => {
      const gradient = gradients[s]!;
      const decay = decays(spec) ? weightDecay : 0;
      for (let i = 0, at = spec.offset; i < spec.size; i++, at++) {
        const w = weights[at]!;
        weights[at] = w - learningRate * (scale * gradient[i]! + decay * w);
      }
    });
  }
}

class Adam implements Optimiser {
  readonly #first: Float32Array;
  readonly #second: Float32Array;
  #steps = 0;

  constructor(
    private readonly options: Extract<OptimizerOptions, { name: 'adam' }>,
    private readonly specs: readonly WeightSpec[],
  ) {
    const size = specs.reduce((n, spec) => n + spec.size, 0);
    this.#first = new Float32Array(size);
    this.#second = new Float32Array(size);
  }

  step(weights: Float32Array, gradients: readonly Float32Array[], scale: number): void {
    const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weightDecay = 0 } = this.options;
    this.#steps++;
    const rate = learningRate / (1 - beta1 ** this.#steps);
    const correction = Math.sqrt(1 - beta2 ** this.#steps);
    const first = this.#first;
    const second = this.#second;
    this.specs.forEach((spec, s) => {
      const gradient = gradients[s]!;
      const decay = decays(spec) ? weightDecay : 0;
      for (let i = 0, at = spec.offset; i < spec.size; i++, at++) {
        const w = weights[at]!;
        const g = scale * gradient[i]! + decay * w;
        const m = beta1 * first[at]! + (1 - beta1) * g;
        const v = beta2 * second[at]! + (1 - beta2) * g * g;
        first[at] = m;
        second[at] = v;
        weights[at] = w - (rate * m) / (Math.sqrt(v) / correction + epsilon);
      }
    });
  }
}
