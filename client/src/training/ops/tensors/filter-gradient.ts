import * as tf from '@tensorflow/tfjs-core';

/** Where the windows of a convolution lie on its input. */
export interface FilterWindows {
  readonly strides: [rows: number, columns: number];
  readonly pad: 'valid' | 'same';
  /** [rows, columns, channels, filters] */
  readonly filterShape: readonly number[];
}

/**
 * Gradient of a convolution by its filter.
 *
 * @param x [batch, rows, columns, channels]
 * @param dy [batch, rows of windows, columns of windows, filters]
 * @returns new tensor of the filter's shape
 */
export type FilterGradient = (x: tf.Tensor, dy: tf.Tensor, windows: FilterWindows) => tf.Tensor;

/** One product of all taps: each is a slice of the padded input, and all of them side by side are [·, taps · channels]. */
export function filterGradient(x: tf.Tensor, dy: tf.Tensor, windows: FilterWindows): tf.Tensor {
  const shape = windows.filterShape as [number, number, number, number];
  const [rows, columns, channels, filters] = shape;
  const { padInfo, outHeight, outWidth, batchSize } = tf.backend_util.computeConv2DInfo(
    x.shape as [number, number, number, number],
    ...([shape, windows.strides, 1, windows.pad] as const),
  );
  const { top, bottom, left, right } = padInfo;
  const [down, along] = windows.strides;
  return tf.tidy(() => {
    const padded = tf.pad(x, [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ]);
    const tap = (row: number, column: number): tf.Tensor =>
      tf.stridedSlice(
        padded,
        [0, row, column, 0],
        [batchSize, row + down * (outHeight - 1) + 1, column + along * (outWidth - 1) + 1, channels],
        [1, down, along, 1],
      );
    const taps = Array.from({ length: rows * columns }, (_, i) => tap(Math.floor(i / columns), i % columns));
    const side = tf.reshape(taps.length > 1 ? tf.concat(taps, 3) : taps[0]!, [-1, rows * columns * channels]);
    return tf.reshape(tf.matMul(side, tf.reshape(dy, [-1, filters]), true), shape);
  });
}

/** The same by TensorFlow.js's own kernel. */
export const publishedFilterGradient: FilterGradient = (x, dy, { strides, pad, filterShape }) =>
  tf.engine().runKernel(
    'Conv2DBackpropFilter',
    { x, dy },
    {
      ...{ strides, pad, filterShape: [...filterShape] },
      ...{ dataFormat: 'NHWC', dilations: 1 },
    },
  );
