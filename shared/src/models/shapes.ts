import { RegulonError } from '../errors/index.js';
import type { LayerDeclaration, ModelDeclaration } from './declaration.js';

/** How a weight starts; see `initialWeights`. */
export type WeightInit = 'glorot-uniform' | 'he-uniform' | 'orthogonal' | 'zeros';

/** A weight of one layer before it has a place in the manifest. */
export interface LayerWeight {
  readonly role: 'kernel' | 'recurrent' | 'bias';
  readonly shape: readonly number[];
  readonly init: WeightInit;
}

/** A layer whose shapes are known. Shapes have no batch dimension. */
export interface ResolvedLayer {
  readonly block: string;
  /** `<block>/<position in the block>-<type>`, unique in the model */
  readonly name: string;
  readonly declaration: LayerDeclaration;
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  readonly weights: readonly LayerWeight[];
}

/** What the prepared data and the task ask of a model. */
export interface ModelFrame {
  /** shape of one unit: [genes] or [steps, channels] */
  readonly inputShape: readonly number[];
  /** width of the last layer: number of classes, of genes, or 1 */
  readonly outputs: number;
}

const GATES = { gru: 3, lstm: 4, 'simple-rnn': 1 } as const;

/**
 * Infer the shape of every layer.
 *
 * A layer that reads a sequence (`conv1d`, `max-pool1d`, recurrent) reads a vector [n] as [n, 1].
 *
 * @throws E_MODEL_SHAPE naming the layer and the shapes
 */
export function resolveLayers(declaration: ModelDeclaration, frame: ModelFrame): ResolvedLayer[] {
  let shape = checkedInput(frame);
  const layers: ResolvedLayer[] = [];
  for (const block of declaration.blocks) {
    for (const [index, layer] of block.layers.entries()) {
      const name = `${block.name}/${index}-${layer.type}`;
      const resolved = {
        block: block.name,
        name,
        declaration: layer,
        ...inferLayer(name, layer, shape, frame),
      };
      layers.push(resolved);
      shape = resolved.outputShape;
    }
  }
  if (shape.at(-1) !== frame.outputs) {
    const last = layers.at(-1)?.name ?? 'model';
    throw new RegulonError(
      'E_MODEL_SHAPE',
      `${last}: the task needs ${frame.outputs} outputs, the model ends with shape ${text(shape)}`,
      { hint: 'end the model with {type: dense, units: outputs}' },
    );
  }
  return layers;
}

type Inferred = Pick<ResolvedLayer, 'inputShape' | 'outputShape' | 'weights'>;

function inferLayer(
  name: string,
  layer: LayerDeclaration,
  shape: readonly number[],
  frame: ModelFrame,
): Inferred {
  switch (layer.type) {
    case 'dense':
      return dense(layer, shape, frame);
    case 'conv1d':
      return conv1d(name, layer, sequence(name, shape));
    case 'max-pool1d': {
      const [steps, channels] = sequence(name, shape);
      const pooled = Math.floor(steps / layer.size);
      if (pooled < 1) refuse(name, `a pool of ${layer.size} does not fit into ${text(shape)}`);
      return { inputShape: [steps, channels], outputShape: [pooled, channels], weights: [] };
    }
    case 'flatten':
      return { inputShape: shape, outputShape: [shape.reduce((a, b) => a * b, 1)], weights: [] };
    case 'dropout':
      return { inputShape: shape, outputShape: shape, weights: [] };
    case 'gru':
    case 'lstm':
    case 'simple-rnn':
      return recurrent(layer, sequence(name, shape));
  }
}

function dense(
  layer: Extract<LayerDeclaration, { type: 'dense' }>,
  shape: readonly number[],
  frame: ModelFrame,
): Inferred {
  const width = layer.units === 'outputs' ? frame.outputs : layer.units;
  const weights: LayerWeight[] = [
    { role: 'kernel', shape: [shape.at(-1) ?? 1, width], init: layer.init },
    { role: 'bias', shape: [width], init: 'zeros' },
  ];
  return { inputShape: shape, outputShape: [...shape.slice(0, -1), width], weights };
}

function conv1d(
  name: string,
  layer: Extract<LayerDeclaration, { type: 'conv1d' }>,
  shape: readonly [number, number],
): Inferred {
  const [steps, channels] = shape;
  if (steps < layer.kernel) refuse(name, `a kernel of ${layer.kernel} does not fit into ${text(shape)}`);
  const outputShape = [Math.floor((steps - layer.kernel) / layer.stride) + 1, layer.filters];
  const weights: LayerWeight[] = [
    { role: 'kernel', shape: [layer.kernel, channels, layer.filters], init: layer.init },
    { role: 'bias', shape: [layer.filters], init: 'zeros' },
  ];
  return { inputShape: shape, outputShape, weights };
}

/** Gate order in the last dimension: GRU z, r, candidate; LSTM input, forget, candidate, output. */
function recurrent(
  layer: Extract<LayerDeclaration, { type: 'gru' | 'lstm' | 'simple-rnn' }>,
  shape: readonly [number, number],
): Inferred {
  const [steps, channels] = shape;
  const width = GATES[layer.type] * layer.units;
  const weights: LayerWeight[] = [
    { role: 'kernel', shape: [channels, width], init: 'glorot-uniform' },
    { role: 'recurrent', shape: [layer.units, width], init: 'orthogonal' },
    // the GRU resets after the recurrent product, so its second bias (inside the reset) is a parameter of its own
    { role: 'bias', shape: layer.type === 'gru' ? [2, width] : [width], init: 'zeros' },
  ];
  return {
    inputShape: shape,
    outputShape: layer.returnSequences ? [steps, layer.units] : [layer.units],
    weights,
  };
}

function checkedInput(frame: ModelFrame): readonly number[] {
  const dimensions = [...frame.inputShape, frame.outputs];
  if (frame.inputShape.length < 1 || dimensions.some((n) => !Number.isSafeInteger(n) || n < 1)) {
    throw new RegulonError(
      'E_MODEL_SHAPE',
      `the data has shape ${text(frame.inputShape)} and ${frame.outputs} outputs`,
    );
  }
  return frame.inputShape;
}

function sequence(name: string, shape: readonly number[]): [number, number] {
  if (shape.length > 2) refuse(name, `reads [steps, channels], not ${text(shape)}`);
  return [shape[0] ?? 1, shape[1] ?? 1];
}

function refuse(name: string, why: string): never {
  throw new RegulonError('E_MODEL_SHAPE', `${name}: ${why}`);
}

const text = (shape: readonly number[]): string => `[${shape.join(', ')}]`;
