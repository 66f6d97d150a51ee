import * as tf from '@tensorflow/tfjs-core';
import { KeyedGenerator } from '@regulon/shared/models';
import type { TrainingBackend } from './backends/backend.js';
import type { Network, NetworkPass } from './network.js';

/** Seeded numbers in (−scale, scale). */
export function drawer(seed: number): (length: number, scale?: number) => Float32Array {
  const random = new KeyedGenerator(new Uint8Array(32).fill(seed));
  return (length, scale = 1) => Float32Array.from({ length }, () => scale * (2 * random.uniform() - 1));
}

/** One forward pass of units in flat rows; what `use` returns must not be a tensor. */
export function passOf<T>(
  { network, backend, training = false }: Bench,
  weights: Float32Array,
  x: Float32Array,
  use: (pass: NetworkPass) => T,
): T {
  const holder: { result?: T } = {};
  backend.activate();
  tf.tidy(() => {
    const tensorOf = (values: Float32Array, shape: readonly number[]): tf.Tensor => {
      const tensor = backend.allocate(shape);
      backend.view(tensor).set(values);
      return tensor;
    };
    const unit = network.frame.inputShape.reduce((a, b) => a * b, 1);
    const tensors = network.specs.map((s) =>
      tensorOf(weights.subarray(s.offset, s.offset + s.size), s.shape),
    );
    const input = tensorOf(x, [x.length / unit, ...network.frame.inputShape]);
    // every pass draws the same numbers: a loss must not change by chance between two of them
    const randomOf = () => new KeyedGenerator(new Uint8Array(32).fill(9));
    holder.result = use(network.forward(input, tensors, { backend, training, randomOf }));
  });
  return holder.result as T;
}

/** What a gradient is checked on. */
export interface Bench {
  readonly network: Network;
  readonly backend: TrainingBackend;
  readonly training?: boolean;
}

/** Outputs of units, flat. */
export function outputsOf(bench: Bench, weights: Float32Array, x: Float32Array): Float32Array {
  return passOf(bench, weights, x, ({ output }) => Float32Array.from(bench.backend.view(output)));
}

/** ½ Σ (output − target)² plus what layers add, and its gradient by all weights, flat. */
export function lossAndGradient(
  bench: Bench,
  weights: Float32Array,
  x: Float32Array,
  targets: Float32Array,
): { loss: number; gradient: Float32Array } {
  const { network, backend } = bench;
  return passOf(bench, weights, x, (pass) => {
    const gradient = new Float32Array(weights.length);
    const slope = backend.allocate(pass.output.shape);
    const error = Float32Array.from(backend.view(pass.output), (y, i) => y - targets[i]!);
    backend.view(slope).set(error);
    const tensors = pass.backward(slope);
    tensors.forEach((tensor, s) => gradient.set(backend.view(tensor), network.specs[s]!.offset));
    return { loss: error.reduce((sum, e) => sum + 0.5 * e * e, 0) + pass.penalty, gradient };
  });
}

/**
 * Largest deviation of the gradient from central differences along seeded directions, relative to 1 + the slope.
 *
 * @param h half the width of a difference: float32 rounds below, curvature shows above
 */
export function gradientError(
  bench: Bench,
  weights: Float32Array,
  x: Float32Array,
  targets: Float32Array,
  { directions = 3, h = 2e-3 } = {},
): number {
  const draw = drawer(17);
  const { gradient } = lossAndGradient(bench, weights, x, targets);
  let worst = 0;
  for (let i = 0; i < directions; i++) {
    // what is not trained has no gradient: directions leave it where it is
    const direction = draw(weights.length);
    for (const { trainable, offset, size } of bench.network.specs) {
      if (!trainable) direction.fill(0, offset, offset + size);
    }
    const along = gradient.reduce((sum, g, at) => sum + g * direction[at]!, 0);
    const lossAt = (by: number): number =>
      lossAndGradient(
        bench,
        weights.map((w, at) => w + by * direction[at]!),
        x,
        targets,
      ).loss;
    const difference = (lossAt(h) - lossAt(-h)) / (2 * h);
    worst = Math.max(worst, Math.abs(difference - along) / (1 + Math.abs(along)));
  }
  return worst;
}
