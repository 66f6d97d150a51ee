import * as tf from '@tensorflow/tfjs-core';
import { RegulonError } from '@regulon/shared/errors';
import {
  activationSizeOf,
  manifestOf,
  type ModelDeclaration,
  type ModelFrame,
  type ResolvedBlock,
  type ResolvedHead,
  type ResolvedLayer,
  type ResolvedMerge,
  type ResolvedModel,
  resolveModel,
  type WeightSpec,
} from '@regulon/shared/models';
import type { forwardLayer } from './forward-layer.js';
import { layersOn } from './layers-on.js';
import { concatenated, type Flow, inputFlow, rowGradient } from './flow.js';
import { type LayerConstant, layerConstants } from './layer-constants.js';
import { type ModelFiles, NO_FILES } from './model-files.js';
import { merge } from './ops/merge.js';
import type { AddNorms, LayerPass, PassContext } from './ops/op.js';
import { Tape } from './tape.js';

/** New values of weights that no gradient reaches, by their position in the manifest. */
export type WeightUpdates = readonly { readonly spec: number; readonly values: Float32Array }[];

/** Output of a model for one batch, and the way back to its weights. */
export interface NetworkPass {
  /** [batch, …output shape]; with several heads [batch, sum of their sizes] */
  readonly output: tf.Tensor;
  /** sum over the batch that layers add to the loss (a variational code) */
  readonly penalty: number;
  /** running statistics after this batch; empty outside of training */
  readonly updates: WeightUpdates;
  /**
   * @returns gradient of each weight, in manifest order, zeros where it is frozen; they live until the surrounding
   * `tf.tidy` ends
   */
  backward(gradient: tf.Tensor): tf.Tensor[];
  /**
   * Only of a pass that wants its input.
   *
   * @returns gradient by the units' rows [batch, …input shape], 0 at masks; as long-lived as those of `backward`
   */
  backwardToInput(gradient: tf.Tensor): tf.Tensor;
  /**
   * Squared norms of each patient's gradient, a function for each layer that is trained.
   *
   * @throws E_PRIVACY naming a layer that cannot tell patients apart
   */
  taps(gradient: tf.Tensor): AddNorms[];
}

/** What a pass does differently from one of training. */
export interface PassOptions {
  /** the way back may go on to the units' rows */
  readonly wantsInput?: boolean;
  /** how a layer is carried out, and its way back; the catalogue's own if absent */
  readonly layer?: typeof forwardLayer;
}

/** A declared model whose shapes are known: applies the catalogue's layers, block by block. */
export class Network {
  readonly specs: readonly WeightSpec[];
  readonly #model: ResolvedModel;
  readonly #constants: ReadonlyMap<string, LayerConstant>;
  /** position of each weight in the manifest, by name */
  readonly #positions: ReadonlyMap<string, number>;

  /**
   * @param site name of the site that trains; blocks of other owners stay as they are
   * @throws E_MODEL_SHAPE naming the layer and the shapes; E_NOT_FOUND, E_DIGEST, E_DATA_FORMAT of model files
   */
  constructor(
    declaration: ModelDeclaration,
    readonly frame: ModelFrame,
    files: ModelFiles = NO_FILES,
    site?: string,
  ) {
    this.#model = resolveModel(declaration, frame);
    this.specs = manifestOf(declaration, frame).map((spec) => trainedAt(spec, site));
    this.#constants = layerConstants(this.#model, files);
    this.#positions = new Map(this.specs.map(({ name }, i) => [name, i]));
  }

  /** Inputs, blocks and heads with their shapes. */
  get model(): ResolvedModel {
    return this.#model;
  }

  /** What the output consists of. */
  get heads(): readonly ResolvedHead[] {
    return this.#model.heads;
  }

  /** Shape of one unit's output. */
  get outputShape(): readonly number[] {
    const [only, ...more] = this.heads;
    if (only && more.length === 0) return only.shape;
    return [this.heads.reduce((n, { size }) => n + size, 0)];
  }

  /** Most elements that the activations of one unit take, forward, with what the way back keeps. */
  get activationSize(): number {
    return activationSizeOf(this.#model);
  }

  /** True if a batch of one unit cannot be trained on: its statistics do not exist. */
  get needsPairs(): boolean {
    const layers = this.#model.blocks.flatMap((block) => block.layers);
    return layers.some(({ declaration }) => declaration.type === 'batch-norm');
  }

  /**
   * @param x [batch, …input shape]
   * @param weights one tensor for each entry of `specs`
   */
  forward(
    x: tf.Tensor,
    weights: readonly tf.Tensor[],
    context: PassContext,
    { wantsInput = false, layer = layersOn(context.backend) }: PassOptions = {},
  ): NetworkPass {
    const tape = new Tape(this.specs, weights, wantsInput);
    const { inputs } = this.#model;
    const leaves = inputs.map((input) => inputFlow(input, x, tape, context));
    const flows = new Map(inputs.map(({ name }, i) => [name, leaves[i]!]));
    const pass: RunningPass = { tape, context, layer, penalty: 0, updates: [] };
    for (const block of this.#model.blocks) flows.set(block.name, this.#block(block, flows, pass));
    const outputs = this.heads.map(({ block }) => flows.get(block)!.value);
    const [only, ...more] = outputs;
    const output =
      only && more.length === 0 ? only : tape.apply(concatenated(outputs), { inputs: outputs, weights: [] });
    return {
      output: output.tensor,
      penalty: pass.penalty,
      updates: pass.updates,
      backward: (gradient) => tape.backward(output, gradient, context.backend),
      backwardToInput: (gradient) => {
        const values = leaves.map(({ value }) => value);
        const parts = tape.backwardToLeaves(output, gradient, values);
        return rowGradient(inputs, parts, x.shape, context.backend);
      },
      taps: (gradient) => tape.taps(output, gradient),
    };
  }

  #block(block: ResolvedBlock, flows: ReadonlyMap<string, Flow>, pass: RunningPass): Flow {
    const sources = block.sources.map((name) => flows.get(name)!);
    let flow = block.merge ? this.#merge(block.merge, sources, pass) : sources[0]!;
    for (const layer of block.layers) flow = this.#layer(layer, flow, pass);
    return flow;
  }

  #merge(
    { name, kind, weights }: ResolvedMerge,
    sources: readonly Flow[],
    { tape, context }: RunningPass,
  ): Flow {
    const own = weights.map(({ role }) => this.#positions.get(`${name}/${role}`)!);
    const inputs = sources.map(({ value }) => value);
    const parts = sources.map(({ value, present }) => ({ value: value.tensor, present }));
    const merged = merge(kind, parts, tape.weightsAt(own), context.backend);
    const node = {
      output: merged.output,
      backward: (gradient: tf.Tensor) => {
        const all = merged.backward(gradient);
        return { inputs: all.slice(0, inputs.length), weights: all.slice(inputs.length) };
      },
    };
    return {
      value: tape.apply(node, { inputs, weights: own }),
      steps: sources[0]?.steps,
      present: undefined,
    };
  }

  #layer(layer: ResolvedLayer, { value, steps, present }: Flow, pass: RunningPass): Flow {
    const positions = this.#weightsOf(layer);
    const x = tf.reshape(value.tensor, [value.tensor.shape[0] ?? 1, ...layer.inputShape]);
    const weights = pass.tape.weightsAt(positions);
    const constant = this.#constants.get(layer.name);
    const done = pass.layer(layer, { x, weights, mask: steps, constant }, pass.context);
    pass.penalty += done.penalty ?? 0;
    for (const { weight, values } of done.updates ?? [])
      pass.updates.push({ spec: positions[weight]!, values });
    const node = {
      output: done.output,
      backward: (gradient: tf.Tensor, wants: readonly boolean[]) => {
        const back = done.backward(gradient, wants[0] ?? false);
        return { inputs: [back.input], weights: back.weights };
      },
      taps: (gradient: tf.Tensor, wants: readonly boolean[]) => {
        const { input, addNorms } = tapsOf(layer, done, gradient, wants[0] ?? false);
        return { inputs: [input], addNorms };
      },
    };
    return {
      value: pass.tape.apply(node, { inputs: [value], weights: positions }),
      steps: layer.keepsMask ? (done.mask ?? steps) : undefined,
      present,
    };
  }

  /** Positions of a layer's weights in the manifest; a kernel that it borrows comes first. */
  #weightsOf({ name, weights, tiedTo }: ResolvedLayer): number[] {
    const names = [...(tiedTo ? [`${tiedTo}/kernel`] : []), ...weights.map(({ role }) => `${name}/${role}`)];
    return names.map((weight) => this.#positions.get(weight)!);
  }
}

/** @throws E_PRIVACY naming the layer that cannot tell patients apart */
function tapsOf({ name }: ResolvedLayer, pass: LayerPass, gradient: tf.Tensor, wantsInput: boolean) {
  if (!pass.taps)
    throw new RegulonError('E_PRIVACY', `layer ${name}: gradients of this layer are not known by patient`);
  return pass.taps(gradient, wantsInput);
}

/** A weight of which this site is no owner is frozen here. */
function trainedAt(spec: WeightSpec, site: string | undefined): WeightSpec {
  const isOwner = !spec.owners || (site !== undefined && spec.owners.includes(site));
  return isOwner ? spec : { ...spec, trainable: false };
}

interface RunningPass {
  readonly tape: Tape;
  readonly context: PassContext;
  readonly layer: typeof forwardLayer;
  penalty: number;
  readonly updates: { spec: number; values: Float32Array }[];
}
