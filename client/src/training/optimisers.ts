import { decays, type WeightSpec } from '@regulon/shared/models';
import type { AdamArrays, AdamStep, LayerKernels } from './kernels/layer-kernels.js';
import type { OptimizerOptions } from './job.js';
import type { Slab } from './slab.js';

/** Changes weights by their gradients, weight by weight of the manifest. */
export interface Optimiser {
  /**
   * One step, in place.
   *
   * @param weights one array per weight, manifest order
   * @param gradients one array per weight, manifest order; not changed
   * @param scale factor of every gradient (mean over targets, clipping)
   */
  step(weights: readonly Float32Array[], gradients: readonly Float32Array[], scale: number): void;
  /** Give back what it remembers between steps. */
  dispose(): void;
}

/** Where an optimiser keeps its moments, and the loops it may use on them. */
export interface OptimiserMemory {
  slab(size: number): Slab;
  readonly kernels?: LayerKernels | undefined;
}

/**
 * A fresh optimiser: its state never leaves the round.
 *
 * @see Kingma & Ba 2015, Algorithm 1; weight decay as L2 term of the gradient, on kernels only
 */
export function optimiserOf(
  options: OptimizerOptions,
  specs: readonly WeightSpec[],
  memory: OptimiserMemory,
): Optimiser {
  switch (options.name) {
    case 'adam':
      return new Adam(options, specs, memory);
    case 'sgd':
      return new Sgd(options, specs);
  }
}

class Sgd implements Optimiser {
  constructor(
    private readonly options: Extract<OptimizerOptions, { name: 'sgd' }>,
    private readonly specs: readonly WeightSpec[],
  ) {}

  step(weights: readonly Float32Array[], gradients: readonly Float32Array[], scale: number): void {
    const { learningRate, weightDecay = 0 } = this.options;
    this.specs.forEach((spec, s) => {
      if (!spec.trainable) return;
      const [own, gradient] = [weights[s]!, gradients[s]!];
      const decay = decays(spec) ? weightDecay : 0;
      const rate = learningRate * spec.rate;
      for (let i = 0; i < spec.size; i++) {
        const w = own[i]!;
        own[i] = w - rate * (scale * gradient[i]! + decay * w);
      }
    });
  }

  dispose(): void {}
}

class Adam implements Optimiser {
  readonly #first: Slab;
  readonly #second: Slab;
  #steps = 0;

  constructor(
    private readonly options: Extract<OptimizerOptions, { name: 'adam' }>,
    private readonly specs: readonly WeightSpec[],
    private readonly memory: OptimiserMemory,
  ) {
    const size = specs.reduce((n, spec) => n + spec.size, 0);
    this.#first = memory.slab(size);
    this.#second = memory.slab(size);
  }

  step(weights: readonly Float32Array[], gradients: readonly Float32Array[], scale: number): void {
    const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weightDecay = 0 } = this.options;
    this.#steps++;
    const base = learningRate / (1 - beta1 ** this.#steps);
    const correction = Math.sqrt(1 - beta2 ** this.#steps);
    const first = this.#first.view();
    const second = this.#second.view();
    this.specs.forEach((spec, s) => {
      if (!spec.trainable) return;
      const decay = decays(spec) ? weightDecay : 0;
      const rate = base * spec.rate;
      const step = { scale, decay, rate, beta1, beta2, correction, epsilon };
      // whole groups of four by the kernel if there is one, the rest by the plain loop
      const groups = spec.size - (spec.size % 4);
      const moment = (array: Float32Array, from: number, to: number) =>
        array.subarray(spec.offset + from, spec.offset + to);
      const arraysOf = (from: number, to: number): AdamArrays => ({
        weights: weights[s]!.subarray(from, to),
        first: moment(first, from, to),
        second: moment(second, from, to),
        gradient: gradients[s]!.subarray(from, to),
      });
      const done = this.memory.kernels?.adam(arraysOf(0, groups), step) ? groups : 0;
      adamStep(arraysOf(done, spec.size), step);
    });
  }

  dispose(): void {
    this.#first.dispose();
    this.#second.dispose();
  }
}

function adamStep({ weights, first, second, gradient }: AdamArrays, step: AdamStep): void {
  const { scale, decay, rate, beta1, beta2, correction, epsilon } = step;
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i]!;
    const g = scale * gradient[i]! + decay * w;
    const m = beta1 * first[i]! + (1 - beta1) * g;
    const v = beta2 * second[i]! + (1 - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    weights[i] = w - (rate * m) / (Math.sqrt(v) / correction + epsilon);
  }
}
