import * as tf from '@tensorflow/tfjs-core';

/**
 * Gradients of the operations that composed layers use.
 *
 * The published package for Node registers none of them, and the rest of its gradients call kernels that WebAssembly
 * lacks or computes wrongly; these call only kernels that every backend has.
 */
export function registerCoreGradients(): void {
  for (const config of [...PAIRS, ...SINGLES, ...REDUCTIONS, ...SHAPES]) {
    if (!tf.getGradient(config.kernelName)) tf.registerGradient(config);
  }
}

type Attributes = tf.NamedAttrMap | undefined;
type Lazy = () => tf.Tensor;

/** dy summed down to a shape that was broadcast. */
function unbroadcast(dy: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, dy.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(dy, axes) : dy, shape);
}

const pair = (
  kernelName: string,
  ways: (dy: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => [a: tf.Tensor, b: tf.Tensor],
): tf.GradConfig => ({
  kernelName,
  inputsToSave: ['a', 'b'],
  gradFunc: (dy, saved) => {
    const [a, b] = saved as [tf.Tensor, tf.Tensor];
    const way =
      (which: 0 | 1, to: tf.Tensor): Lazy =>
      () =>
        unbroadcast(ways(dy as tf.Tensor, a, b)[which], to.shape);
    return { a: way(0, a), b: way(1, b) };
  },
});

const PAIRS: readonly tf.GradConfig[] = [
  pair('Add', (dy) => [dy, dy]),
  pair('Sub', (dy) => [dy, tf.neg(dy)]),
  pair('Multiply', (dy, a, b) => [tf.mul(dy, b), tf.mul(dy, a)]),
  pair('RealDiv', (dy, a, b) => [tf.div(dy, b), tf.neg(tf.div(tf.mul(dy, a), tf.square(b)))]),
  pair('Maximum', (dy, a, b) => {
    // of two equal numbers the first has the gradient
    const first = tf.cast(tf.greaterEqual(a, b), 'float32');
    return [tf.mul(dy, first), tf.mul(dy, tf.sub(1, first))];
  }),
];

const single = (
  kernelName: string,
  save: 'input' | 'output',
  way: (dy: tf.Tensor, saved: tf.Tensor) => tf.Tensor,
  name = 'x',
): tf.GradConfig => ({
  kernelName,
  ...(save === 'input' ? { inputsToSave: [name] } : { outputsToSave: [true] }),
  gradFunc: (dy, [saved]) => ({ [name]: () => way(dy as tf.Tensor, saved!) }),
});

const SINGLES: readonly tf.GradConfig[] = [
  single('Square', 'input', (dy, x) => tf.mul(dy, tf.mul(x, 2))),
  single('Rsqrt', 'output', (dy, y) => tf.mul(dy, tf.mul(tf.mul(tf.square(y), y), -0.5))),
  single('Exp', 'output', (dy, y) => tf.mul(dy, y)),
  single('Tanh', 'output', (dy, y) => tf.mul(dy, tf.sub(1, tf.square(y)))),
  single('Sigmoid', 'output', (dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y)))),
  single('Relu', 'output', (dy, y) => tf.mul(dy, tf.cast(tf.greater(y, 0), 'float32'))),
  single('Identity', 'output', (dy) => dy),
  single('Cast', 'output', (dy) => dy),
  single(
    'Softmax',
    'output',
    (dy, y) => {
      const weighted = tf.mul(dy, y);
      return tf.sub(weighted, tf.mul(tf.sum(weighted, [y.rank - 1], true), y));
    },
    'logits',
  ),
];

/** dy of a reduction, with the reduced axes as ones. */
function expanded(dy: tf.Tensor, x: tf.Tensor, attributes: Attributes, name: string): tf.Tensor {
  const axes = tf.util.parseAxisParam(attributes![name] as number | number[], x.shape);
  return tf.reshape(
    dy,
    x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)),
  );
}

const reduction = (
  kernelName: string,
  axis: string,
  way: (dy: tf.Tensor, x: tf.Tensor, y: tf.Tensor) => tf.Tensor,
): tf.GradConfig => ({
  kernelName,
  inputsToSave: ['x'],
  outputsToSave: [true],
  gradFunc: (dy, saved, attributes) => {
    const [x, y] = saved as [tf.Tensor, tf.Tensor];
    const full = (tensor: tf.Tensor): tf.Tensor => expanded(tensor, x, attributes, axis);
    return { x: () => way(full(dy as tf.Tensor), x, full(y)) };
  },
});

const REDUCTIONS: readonly tf.GradConfig[] = [
  reduction('Sum', 'axis', (dy, x) => tf.mul(dy, tf.onesLike(x))),
  reduction('Mean', 'axis', (dy, x) => tf.mul(dy, tf.fill(x.shape, dy.size / x.size))),
  reduction('Max', 'reductionIndices', (dy, x, y) => {
    // equal maxima share the gradient
    const equal = tf.cast(tf.equal(x, y), 'float32');
    const axes = x.shape.flatMap((n, axis) => (n === y.shape[axis] ? [] : [axis]));
    return tf.mul(dy, axes.length > 0 ? tf.div(equal, tf.sum(equal, axes, true)) : equal);
  }),
];

const shaped = (
  kernelName: string,
  way: (dy: tf.Tensor, x: tf.Tensor, attributes: tf.NamedAttrMap) => tf.Tensor,
  name = 'x',
): tf.GradConfig => ({
  kernelName,
  inputsToSave: [name],
  gradFunc: (dy, [x], attributes) => ({ [name]: () => way(dy as tf.Tensor, x!, attributes) }),
});

const SHAPES: readonly tf.GradConfig[] = [
  shaped('Reshape', (dy, x) => tf.reshape(dy, x.shape)),
  shaped('ExpandDims', (dy, x) => tf.reshape(dy, x.shape), 'input'),
  shaped('Transpose', (dy, _, { perm }) => {
    const order = perm as number[];
    return tf.transpose(dy, tf.backend_util.getUndoAxesPermutation(order));
  }),
  shaped('Slice', (dy, x, { begin, size }) => {
    const from = begin as number[];
    const length = (size as number[]).map((n, axis) => (n < 0 ? x.shape[axis]! - from[axis]! : n));
    return tf.pad(
      dy,
      from.map((start, axis) => [start, x.shape[axis]! - start - length[axis]!] as [number, number]),
    );
  }),
  {
    kernelName: 'Concat',
    saveAllInputs: true,
    gradFunc: (dy, parts, attributes) => {
      const [axis = 0] = tf.util.parseAxisParam(attributes['axis'] as number, (dy as tf.Tensor).shape);
      const widths = parts.map((part) => part.shape[axis]!);
      return Object.fromEntries(
        parts.map((_, i): [string, Lazy] => [String(i), () => tf.split(dy as tf.Tensor, widths, axis)[i]!]),
      );
    },
  },
  {
    kernelName: 'Pack',
    saveAllInputs: true,
    gradFunc: (dy, parts, attributes) => {
      const axis = attributes['axis'] as number;
      return Object.fromEntries(
        parts.map((_, i): [string, Lazy] => [String(i), () => tf.unstack(dy as tf.Tensor, axis)[i]!]),
      );
    },
  },
  {
    kernelName: 'AddN',
    saveAllInputs: true,
    gradFunc: (dy, parts) =>
      Object.fromEntries(parts.map((_, i): [string, Lazy] => [String(i), () => tf.clone(dy as tf.Tensor)])),
  },
  {
    kernelName: 'BatchMatMul',
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved) => {
      const [a, b] = saved as [tf.Tensor, tf.Tensor];
      const gradient = dy as tf.Tensor;
      // transposed by hand: products of transposed operands run a scalar loop on WebAssembly
      const turned = (tensor: tf.Tensor): tf.Tensor => {
        const axes = tensor.shape.map((_, axis) => axis);
        return tf.transpose(tensor, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
      };
      return { a: () => tf.matMul(gradient, turned(b)), b: () => tf.matMul(turned(a), gradient) };
    },
  },
];
