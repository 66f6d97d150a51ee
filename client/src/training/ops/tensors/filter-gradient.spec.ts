import { beforeAll, describe, expect, it } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { CpuBackend } from '../../backends/cpu.js';
import { drawer } from '../../gradient-check.support.js';
import { filterGradient, publishedFilterGradient } from './filter-gradient.js';

beforeAll(async () => {
  await CpuBackend.start();
});

describe('gradient by the filter from slices and one product', () => {
  it.each(
    (['valid', 'same'] as const).flatMap((pad) =>
      [
        { rows: 1, columns: 4, strides: [1, 1], channels: 3 },
        { rows: 1, columns: 5, strides: [1, 2], channels: 1 },
        { rows: 3, columns: 2, strides: [2, 2], channels: 2 },
        { rows: 2, columns: 3, strides: [3, 1], channels: 4 },
        { rows: 1, columns: 1, strides: [1, 1], channels: 3 },
      ].map((filter) => ({ pad, ...filter, strides: filter.strides as [number, number] })),
    ),
  )(
    '$rows × $columns, strides $strides, $channels channels, $pad: as the published kernel on the cpu',
    (one) => {
      const { rows, columns, channels, strides, pad } = one;
      const draw = drawer(rows * columns);
      const x = tf.tensor4d(draw(2 * 7 * 9 * channels), [2, 7, 9, channels]);
      const filterShape: [number, number, number, number] = [rows, columns, channels, 5];
      const info = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad);
      const dy = tf.tensor4d(draw(info.outShape.reduce((a, b) => a * b, 1)), info.outShape);
      const windows = { strides, pad, filterShape };
      const [own, published] = [filterGradient(x, dy, windows), publishedFilterGradient(x, dy, windows)];
      expect(own.shape).toEqual(filterShape);
      expect(published.size).toBeGreaterThan(0);
      const exact = published.dataSync();
      own.dataSync().forEach((value, i) => expect(value).toBeCloseTo(exact[i]!, 4));
    },
  );
});
