import * as tf from '@tensorflow/tfjs-core';
import type { WeightSpec } from '@regulon/shared/models';
import type { TrainingBackend } from './backends/backend.js';

/** A tensor on the tape. */
export interface TapeValue {
  readonly tensor: tf.Tensor;
  /** whether a gradient that flows here reaches something that asks for it */
  readonly wantsGradient: boolean;
}

/** One operation: its output and its way back. */
export interface TapeNode {
  readonly output: tf.Tensor;
  /** @param wants for each input whether its gradient is asked for */
  backward(
    gradient: tf.Tensor,
    wants: readonly boolean[],
  ): { readonly inputs: readonly (tf.Tensor | undefined)[]; readonly weights: readonly tf.Tensor[] };
}

/** What an operation reads: values, and weights by their position in the manifest. */
export interface Operands {
  readonly inputs: readonly TapeValue[];
  readonly weights: readonly number[];
}

interface Entry extends Operands {
  readonly node: TapeNode;
  readonly value: TapeValue;
}

/** The operations of one forward pass in their order, for the way back. */
export class Tape {
  readonly #entries: Entry[] = [];

  /**
   * @param weights one tensor for each spec
   * @param wantsLeaves whether the way back goes on to the values that nothing on the tape made
   */
  constructor(
    private readonly specs: readonly WeightSpec[],
    private readonly weights: readonly tf.Tensor[],
    private readonly wantsLeaves = false,
  ) {}

  /** The tensors of weights by their positions in the manifest. */
  weightsAt(positions: readonly number[]): tf.Tensor[] {
    return positions.map((position) => this.weights[position]!);
  }

  /** A value that nothing on the tape made. */
  leaf(tensor: tf.Tensor): TapeValue {
    return { tensor, wantsGradient: this.wantsLeaves };
  }

  /** Note an operation that was carried out. */
  apply(node: TapeNode, operands: Operands): TapeValue {
    const wantsGradient =
      operands.inputs.some((input) => input.wantsGradient) ||
      operands.weights.some((position) => this.specs[position]!.trainable);
    const value = { tensor: node.output, wantsGradient };
    this.#entries.push({ node, value, ...operands });
    return value;
  }

  /**
   * From the gradient of one value to the gradients of all weights.
   *
   * @returns one tensor for each spec; zeros where nothing flows or the weight is frozen
   */
  backward(from: TapeValue, gradient: tf.Tensor, backend: TrainingBackend): tf.Tensor[] {
    const { gradients } = this.#flow(from, gradient);
    return this.specs.map((spec, i) => gradients.get(i) ?? zeros(spec.shape, backend));
  }

  /**
   * From the gradient of one value to those of leaves, of a tape that wants them.
   *
   * @returns for each leaf its gradient, undefined where nothing flows
   */
  backwardToLeaves(
    from: TapeValue,
    gradient: tf.Tensor,
    leaves: readonly TapeValue[],
  ): (tf.Tensor | undefined)[] {
    const { flowing } = this.#flow(from, gradient);
    return leaves.map((leaf) => flowing.get(leaf));
  }

  #flow(from: TapeValue, gradient: tf.Tensor) {
    const flowing = new Map<TapeValue, tf.Tensor>([[from, gradient]]);
    const gradients = new Map<number, tf.Tensor>();
    for (const { node, value, inputs, weights } of [...this.#entries].reverse()) {
      const arrived = flowing.get(value);
      if (!arrived || !value.wantsGradient) continue;
      const wants = inputs.map((input) => input.wantsGradient);
      const back = node.backward(tf.reshape(arrived, value.tensor.shape), wants);
      inputs.forEach((input, i) => {
        const part = back.inputs[i];
        if (part && wants[i]) addTo(flowing, input, tf.reshape(part, input.tensor.shape));
      });
      weights.forEach((position, i) => {
        if (this.specs[position]!.trainable) addTo(gradients, position, back.weights[i]!);
      });
    }
    return { flowing, gradients };
  }
}

function addTo<Key>(sums: Map<Key, tf.Tensor>, key: Key, term: tf.Tensor): void {
  const before = sums.get(key);
  sums.set(key, before ? tf.add(before, term) : term);
}

function zeros(shape: readonly number[], backend: TrainingBackend): tf.Tensor {
  const tensor = backend.allocate(shape);
  backend.view(tensor).fill(0);
  return tensor;
}
