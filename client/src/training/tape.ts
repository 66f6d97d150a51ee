import * as tf from '@tensorflow/tfjs-core';
import { RegulonError } from '@regulon/shared/errors';
import type { WeightSpec } from '@regulon/shared/models';
import type { TrainingBackend } from './backends/backend.js';
import type { AddNorms } from './ops/op.js';

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
  /** The same way without its sums over units; an operation with trainable weights needs it for `Tape.taps`. */
  taps?(
    gradient: tf.Tensor,
    wants: readonly boolean[],
  ): { readonly inputs: readonly (tf.Tensor | undefined)[]; readonly addNorms: AddNorms };
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
    const gradients = new Map<number, tf.Tensor>();
    this.#flow(from, gradient, ({ node, weights }, arrived, wants) => {
      const back = node.backward(arrived, wants);
      weights.forEach((position, i) => {
        if (this.specs[position]!.trainable) addTo(gradients, position, back.weights[i]!);
      });
      return back.inputs;
    });
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
    const flowing = this.#flow(
      from,
      gradient,
      ({ node }, arrived, wants) => node.backward(arrived, wants).inputs,
    );
    return leaves.map((leaf) => flowing.get(leaf));
  }

  /**
   * From the gradient of one value to the norms of each patient's gradient, one operation with trainable weights each.
   *
   * @throws E_PRIVACY when such an operation cannot tell patients apart
   */
  taps(from: TapeValue, gradient: tf.Tensor): AddNorms[] {
    const norms: AddNorms[] = [];
    this.#flow(from, gradient, ({ node, weights }, arrived, wants) => {
      if (!weights.some((position) => this.specs[position]!.trainable))
        return node.backward(arrived, wants).inputs;
      if (!node.taps)
        throw new RegulonError('E_PRIVACY', 'an operation of the model cannot tell patients apart');
      const { inputs, addNorms } = node.taps(arrived, wants);
      norms.push(addNorms);
      return inputs;
    });
    return norms;
  }

  /** @param visit one operation's way back @returns gradients of values by the value that they belong to */
  #flow(
    from: TapeValue,
    gradient: tf.Tensor,
    visit: (
      entry: Entry,
      arrived: tf.Tensor,
      wants: readonly boolean[],
    ) => readonly (tf.Tensor | undefined)[],
  ): Map<TapeValue, tf.Tensor> {
    const flowing = new Map<TapeValue, tf.Tensor>([[from, gradient]]);
    for (const entry of [...this.#entries].reverse()) {
      const { value, inputs } = entry;
      const arrived = flowing.get(value);
      if (!arrived || !value.wantsGradient) continue;
      const wants = inputs.map((input) => input.wantsGradient);
      const parts = visit(entry, tf.reshape(arrived, value.tensor.shape), wants);
      inputs.forEach((input, i) => {
        const part = parts[i];
        if (part && wants[i]) addTo(flowing, input, tf.reshape(part, input.tensor.shape));
      });
    }
    return flowing;
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
