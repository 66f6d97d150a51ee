import * as tf from '@tensorflow/tfjs-core';
import { type ResolvedInput, sizeOf } from '@regulon/shared/models';
import type { TrainingBackend } from '../backends/backend.js';
import { inferenceOn } from '../inference.js';
import { weightTensors } from '../local-round.js';
import type { Network, NetworkPass, PassOptions } from '../network.js';
import type { Explained, OutputGradients } from './explained.js';

/** Rows of one pass. */
export const ATTRIBUTION_ROWS = 128;

/** A network with its weights, explained in float32; the caller MUST dispose of it. */
export class ExplainedNetwork implements Explained {
  readonly inputs: number;
  readonly outputs: number;
  readonly #weights: tf.Tensor[];

  /** @param weights flat [P] in manifest order; not kept */
  constructor(
    readonly network: Network,
    weights: Float32Array,
    private readonly backend: TrainingBackend,
  ) {
    this.inputs = sizeOf(network.frame.inputShape);
    this.outputs = sizeOf(network.outputShape);
    this.#weights = weightTensors(network, weights, backend);
  }

  dispose(): void {
    tf.dispose(this.#weights);
  }

  outputsOf(rows: Float64Array): Float64Array {
    const out = new Float64Array((rows.length / this.inputs) * this.outputs);
    this.#inPieces(rows, (piece, at) =>
      this.#pass(piece, {}, ({ output }) => out.set(this.backend.view(output), at * this.outputs)),
    );
    return out;
  }

  gradientsOf(rows: Float64Array, output: number): OutputGradients {
    const values = new Float64Array(rows.length / this.inputs);
    const gradients = new Float64Array(rows.length);
    this.#inPieces(rows, (piece, at) => {
      const way = this.wayBack(piece, output, { start: () => 1 });
      values.set(way.values, at);
      gradients.set(way.rows, at * this.inputs);
    });
    return { values, gradients };
  }

  /**
   * One way back from an output to the rows, through the layers' own ways back or through others.
   *
   * @param start what the way back begins with, given the value of the output
   * @returns values [n] of the output, and what arrives at the rows [n, inputs]
   */
  wayBack(
    rows: Float64Array,
    output: number,
    { start, layer }: { start: (value: number) => number; layer?: NonNullable<PassOptions['layer']> },
  ): { values: Float64Array; rows: Float64Array } {
    const n = rows.length / this.inputs;
    const values = new Float64Array(n);
    const arrived = new Float64Array(rows.length);
    this.#pass(rows, { wantsInput: true, ...(layer ? { layer } : {}) }, (pass) => {
      const all = this.backend.view(pass.output);
      for (let i = 0; i < n; i++) values[i] = all[i * this.outputs + output]!;
      const slope = this.backend.allocate(pass.output.shape);
      const view = this.backend.view(slope).fill(0);
      values.forEach((value, i) => (view[i * this.outputs + output] = start(value)));
      arrived.set(this.backend.view(pass.backwardToInput(slope)));
    });
    return { values, rows: arrived };
  }

  endsOf(unit: Float64Array, baseline: Float64Array) {
    const [from, to] = [Float64Array.from(baseline), Float64Array.from(unit)];
    for (const input of this.network.model.inputs) alignMask(input, unit, from, to);
    return { from, to };
  }

  #inPieces(rows: Float64Array, use: (piece: Float64Array, at: number) => void): void {
    const n = rows.length / this.inputs;
    for (let at = 0; at < n; at += ATTRIBUTION_ROWS) {
      use(rows.subarray(at * this.inputs, Math.min(n, at + ATTRIBUTION_ROWS) * this.inputs), at);
    }
  }

  #pass(rows: Float64Array, options: PassOptions, use: (pass: NetworkPass) => void): void {
    const { network, backend } = this;
    tf.tidy(() => {
      const x = backend.allocate([rows.length / this.inputs, ...network.frame.inputShape]);
      backend.view(x).set(rows);
      use(network.forward(x, this.#weights, inferenceOn(backend), options));
    });
  }
}

function alignMask(
  { shape, offset, maskSize }: ResolvedInput,
  unit: Float64Array,
  from: Float64Array,
  to: Float64Array,
): void {
  if (maskSize === 0) return;
  const size = sizeOf(shape);
  const width = size / maskSize;
  for (let i = 0; i < maskSize; i++) {
    const mask = offset + size + i;
    from[mask] = unit[mask]!;
    if (unit[mask] !== 0) continue;
    const at = offset + i * width;
    from.fill(0, at, at + width);
    to.fill(0, at, at + width);
  }
}
