import { decays, type WeightSpec } from '@regulon/shared/models';
import type { OptimizerOptions } from '../job.js';
import type { LayerKernels } from '../kernels/layer-kernels.js';
import type { Slab } from '../slab.js';
import { adagrad } from './adagrad.js';
import { adam } from './adam.js';
import { rmsProp } from './rms-prop.js';
import { sgd } from './sgd.js';
import type { Rule } from './rule.js';

/** Where an optimiser keeps its moments, and the loops it may use on them. */
export interface OptimiserMemory {
  slab(size: number): Slab;
  readonly kernels?: LayerKernels | undefined;
}

/** Numbers that an optimiser keeps for each weight. */
export function momentsOf(options: OptimizerOptions): number {
  return ruleOf(options).moments;
}

/** The rule of an optimiser, by its options. */
function ruleOf(options: OptimizerOptions): Rule {
  switch (options.name) {
    case 'adam':
    case 'adamw':
      return adam(options);
    case 'sgd':
      return sgd(options);
    case 'rmsprop':
      return rmsProp(options);
    case 'adagrad':
      return adagrad(options);
  }
}

/** Changes weights by their gradients, weight by weight of the manifest. A fresh one has no past: a round's own. */
export class Optimiser {
  readonly #rule: Rule;
  readonly #slabs: readonly Slab[];
  #steps = 0;

  constructor(
    private readonly options: OptimizerOptions,
    private readonly specs: readonly WeightSpec[],
    private readonly memory: OptimiserMemory,
  ) {
    this.#rule = ruleOf(options);
    const size = specs.reduce((n, spec) => n + spec.size, 0);
    this.#slabs = Array.from({ length: this.#rule.moments }, () => memory.slab(size));
  }

  /**
   * One step, in place.
   *
   * @param weights one array per weight, manifest order
   * @param gradients one array per weight, manifest order; not changed
   * @param scale factor of every gradient (mean over targets, clipping)
   * @param factor of the learning rate, by the plan's schedule
   */
  step(
    weights: readonly Float32Array[],
    gradients: readonly Float32Array[],
    scale: number,
    factor = 1,
  ): void {
    const { learningRate, weightDecay = 0 } = this.options;
    const step = ++this.#steps;
    const moments = this.#slabs.map((slab) => slab.view());
    this.specs.forEach((spec, s) => {
      if (!spec.trainable) return;
      const decay = decays(spec) ? weightDecay : 0;
      const arrays = {
        weights: weights[s]!,
        gradient: gradients[s]!,
        moments: moments.map((all) => all.subarray(spec.offset, spec.offset + spec.size)),
      };
      const factors = { step, scale, decay, rate: learningRate * factor * spec.rate };
      this.#rule.update(arrays, factors, this.memory.kernels);
    });
  }

  /** Give back what it remembers between steps. */
  dispose(): void {
    for (const slab of this.#slabs) slab.dispose();
  }
}
