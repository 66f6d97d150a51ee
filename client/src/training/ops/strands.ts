import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '@regulon/shared/models';
import { activate } from './activate.js';
import { composed } from './composed.js';
import { conv1d } from './conv1d.js';
import type { LayerPass, PassContext } from './op.js';

/**
 * Each filter on both strands; the larger of the two counts.
 *
 * The reverse complement of a filter is the filter read backwards in taps and in bases (A, C, G, T → T, G, C, A), so
 * the scores of a sequence and of its reverse complement are the same, backwards.
 *
 * @param x [batch, steps, 4], one-hot A, C, G, T
 * @param weights kernel [taps, 4, filters] and bias [filters]
 * @returns output [batch, steps − taps + 1, filters]
 * @see Alipanahi et al. 2015, supplementary notes 10.1
 */
export function conv1dStrands(
  x: tf.Tensor,
  [kernel, bias]: readonly [kernel: tf.Tensor, bias: tf.Tensor],
  activation: Activation,
  context: PassContext,
): LayerPass {
  const linear = { stride: 1, activation: 'linear' } as const;
  const forward = conv1d(x, kernel, bias, linear, context);
  const reverse = conv1d(x, tf.reverse(kernel, [0, 1]), bias, linear, context);
  const larger = composed(([a, b]) => tf.maximum(a!, b!), [forward.output, reverse.output]);
  const active = activate(larger.output, activation, context);
  return {
    output: active.output,
    backward(gradient, wantsInput) {
      const [dForward, dReverse] = larger.backward(active.backward(gradient, true).input!);
      const f = forward.backward(dForward!, wantsInput);
      const r = reverse.backward(dReverse!, wantsInput);
      const weights = [
        tf.add(f.weights[0]!, tf.reverse(r.weights[0]!, [0, 1])),
        tf.add(f.weights[1]!, r.weights[1]!),
      ];
      return f.input && r.input ? { input: tf.add(f.input, r.input), weights } : { weights };
    },
  };
}
