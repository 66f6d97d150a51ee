/**
 * Plain float64 networks, written for being read: the second opinion on gradients and on federated averaging.
 * Nothing here is shared with the trainer.
 */
export interface ReferenceNet {
  /** number of parameters */
  readonly size: number;
  /**
   * Mean loss over units and its gradient.
   *
   * @param weights flat [size], kernels row-major [in, out], each followed by its bias
   * @param x units × genes
   * @param y class of each unit
   */
  lossAndGradient(weights: Float64Array, x: readonly number[][], y: readonly number[]): LossAndGradient;
}

/** Mean loss over units, and its gradient by the weights. */
export interface LossAndGradient {
  readonly loss: number;
  readonly gradient: Float64Array;
}

/** Softmax regression on `genes` inputs. */
export function softmaxNet(genes: number, classes: number): ReferenceNet {
  return denseNet([genes, classes]);
}

/** One hidden layer with ReLU. */
export function mlpNet(genes: number, hidden: number, classes: number): ReferenceNet {
  return denseNet([genes, hidden, classes]);
}

function denseNet(widths: readonly number[]): ReferenceNet {
  const layers = widths.slice(1).map((out, i) => ({ in: widths[i]!, out }));
  const size = layers.reduce((n, layer) => n + layer.in * layer.out + layer.out, 0);
  return {
    size,
    lossAndGradient(weights, x, y) {
      const gradient = new Float64Array(size);
      let loss = 0;
      x.forEach((unit, i) => {
        const activations = forward(layers, weights, unit);
        const { loss: own, slope } = crossEntropy(activations.at(-1)!, y[i]!);
        loss += own / x.length;
        backward(
          layers,
          weights,
          activations,
          slope.map((s) => s / x.length),
          gradient,
        );
      });
      return { loss, gradient };
    },
  };
}

type Layer = { in: number; out: number };

/** Inputs of each layer and the logits. */
function forward(layers: readonly Layer[], weights: Float64Array, unit: readonly number[]): number[][] {
  const activations: number[][] = [[...unit]];
  let offset = 0;
  layers.forEach((layer, l) => {
    const input = activations[l]!;
    const isLast = l === layers.length - 1;
    const output = Array.from({ length: layer.out }, (_, o) => {
      let z = weights[offset + layer.in * layer.out + o]!;
      for (let i = 0; i < layer.in; i++) z += input[i]! * weights[offset + i * layer.out + o]!;
      return isLast || z > 0 ? z : 0;
    });
    activations.push(output);
    offset += layer.in * layer.out + layer.out;
  });
  return activations;
}

function crossEntropy(logits: readonly number[], label: number): { loss: number; slope: number[] } {
  const top = Math.max(...logits);
  const total = logits.reduce((sum, z) => sum + Math.exp(z - top), 0);
  const slope = logits.map((z, k) => Math.exp(z - top) / total - (k === label ? 1 : 0));
  return { loss: top + Math.log(total) - logits[label]!, slope };
}

function backward(
  layers: readonly Layer[],
  weights: Float64Array,
  activations: readonly number[][],
  logitSlope: readonly number[],
  gradient: Float64Array,
): void {
  let offset = layers.reduce((n, layer) => n + layer.in * layer.out + layer.out, 0);
  let slope = [...logitSlope];
  for (let l = layers.length - 1; l >= 0; l--) {
    const layer = layers[l]!;
    offset -= layer.in * layer.out + layer.out;
    const input = activations[l]!;
    const before = new Array<number>(layer.in).fill(0);
    for (let o = 0; o < layer.out; o++) {
      gradient[offset + layer.in * layer.out + o]! += slope[o]!;
      for (let i = 0; i < layer.in; i++) {
        const at = offset + i * layer.out + o;
        gradient[at]! += input[i]! * slope[o]!;
        before[i]! += weights[at]! * slope[o]!;
      }
    }
    // ReLU of the layer below: what was cut off passes nothing
    slope = before.map((s, i) => (l > 0 && input[i]! <= 0 ? 0 : s));
  }
}

/** Full-batch gradient descent on all units together. @returns weights after `rounds` steps */
export function gradientDescent(
  net: ReferenceNet,
  start: Float64Array,
  units: { x: readonly number[][]; y: readonly number[] },
  { rounds, learningRate }: { rounds: number; learningRate: number },
): Float64Array {
  const weights = Float64Array.from(start);
  for (let round = 0; round < rounds; round++) {
    const { gradient } = net.lossAndGradient(weights, units.x, units.y);
    gradient.forEach((g, i) => (weights[i]! -= learningRate * g));
  }
  return weights;
}
