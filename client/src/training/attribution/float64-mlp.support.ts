import type { Network } from '../network.js';
import type { Explained, OutputGradients } from './explained.js';

interface Dense {
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
  readonly activation: 'linear' | 'relu' | 'tanh';
}

/** Dense layers in plain float64: what a method gives without the rounding of float32. */
export class Float64Mlp implements Explained {
  readonly inputs: number;
  readonly outputs: number;
  readonly #layers: Dense[];

  /** @param weights of a network of dense layers; the last one is linear, the others have this activation */
  constructor({ specs }: Network, weights: Float32Array, activation: Dense['activation']) {
    const pieces = specs.map(({ offset, size }) => weights.subarray(offset, offset + size));
    this.#layers = [];
    for (let i = 0; i < pieces.length; i += 2) {
      const isLast = i + 2 === pieces.length;
      this.#layers.push({
        kernel: pieces[i]!,
        bias: pieces[i + 1]!,
        activation: isLast ? 'linear' : activation,
      });
    }
    this.inputs = specs[0]!.shape[0]!;
    this.outputs = this.#layers.at(-1)!.bias.length;
  }

  outputsOf(rows: Float64Array): Float64Array {
    return Float64Array.from(this.#rowsOf(rows).flatMap((row) => [...this.#forward(row).at(-1)!]));
  }

  gradientsOf(rows: Float64Array, output: number): OutputGradients {
    const ways = this.#rowsOf(rows).map((row) => this.#backward(row, output));
    return {
      values: Float64Array.from(ways, ({ value }) => value),
      gradients: Float64Array.from(ways.flatMap(({ gradient }) => [...gradient])),
    };
  }

  endsOf(unit: Float64Array, baseline: Float64Array) {
    return { from: baseline, to: unit };
  }

  #rowsOf(rows: Float64Array): Float64Array[] {
    return Array.from({ length: rows.length / this.inputs }, (_, i) =>
      rows.subarray(i * this.inputs, (i + 1) * this.inputs),
    );
  }

  #forward(row: Float64Array): Float64Array[] {
    const activations = [row];
    for (const { kernel, bias, activation } of this.#layers) {
      const x = activations.at(-1)!;
      const y = Float64Array.from(bias);
      x.forEach((value, i) => y.forEach((_, j) => (y[j] = y[j]! + value * kernel[i * y.length + j]!)));
      activations.push(y.map((z) => ({ linear: z, relu: Math.max(z, 0), tanh: Math.tanh(z) })[activation]));
    }
    return activations;
  }

  #backward(row: Float64Array, output: number): { value: number; gradient: Float64Array } {
    const activations = this.#forward(row);
    let gradient = new Float64Array(this.outputs);
    gradient[output] = 1;
    for (let l = this.#layers.length - 1; l >= 0; l--) {
      const { kernel, activation } = this.#layers[l]!;
      const y = activations[l + 1]!;
      const slope = y.map((a) => ({ linear: 1, relu: a > 0 ? 1 : 0, tanh: 1 - a * a })[activation]);
      const dz = gradient.map((g, j) => g * slope[j]!);
      gradient = activations[l]!.map((_, i) =>
        dz.reduce((sum, g, j) => sum + g * kernel[i * dz.length + j]!, 0),
      );
    }
    return { value: activations.at(-1)![output]!, gradient };
  }
}
