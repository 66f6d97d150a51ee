import { gruV3Backward, gruV3Gates, gruV3Reset, gruV3State } from '../kernels/gru-v3.js';
import { fastSigmoid, fastTanh } from './activation.js';
import type { Cell } from './cell.js';

/**
 * Gated recurrent unit that resets before the recurrent product (the form of TensorFlow.js layers).
 *
 *     z = σ(x·Wz + h·Uz + bz)    r = σ(x·Wr + h·Ur + br)    n = tanh(x·Wn + (r ⊙ h)·Un + bn)
 *     h′ = (1 − z) ⊙ n + z ⊙ h
 *
 * Gate order z, r, n; bias [3H]. The cache holds z, r, n, r ⊙ h.
 *
 * @see Cho et al. 2014, arXiv:1406.1078v3
 */
export const gruV3Cell: Cell = {
  gates: 3,
  cacheWidth: 4,
  additive: true,
  carried: [],

  forward(step) {
    if (gruV3State(step, step.kernels)) return;
    const { units: H, fromInput, bias, previous, state, cache } = step;
    for (let at = 0; at < state.length; at++) {
      const j = at % H;
      const row = (at - j) / H;
      const k = 4 * row * H + j;
      const z = cache[k]!;
      const n = fastTanh(fromInput[3 * row * H + 2 * H + j]! + bias[2 * H + j]!);
      cache[k + 2 * H] = n;
      state[at] = (1 - z) * n + z * previous[at]!;
    }
  },

  backward(step) {
    if (gruV3Backward(step, step.kernels)) return;
    const { units: H, dState, previous, cache, dFromInput } = step;
    for (let at = 0; at < dState.length; at++) {
      const j = at % H;
      const row = (at - j) / H;
      const k = 4 * row * H + j;
      const g = 3 * row * H + j;
      const z = cache[k]!;
      const n = cache[k + 2 * H]!;
      const d = dState[at]!;
      dFromInput[g] = d * (previous[at]! - n) * z * (1 - z);
      dFromInput[g + 2 * H] = d * (1 - z) * (1 - n * n);
      dState[at] = d * z;
    }
  },

  gated: {
    block: 3,

    gate(step) {
      if (gruV3Gates(step, step.kernels)) return;
      const { units: H, fromInput, bias, previous, cache } = step;
      for (let at = 0; at < previous.length; at++) {
        const j = at % H;
        const row = (at - j) / H;
        const k = 4 * row * H + j;
        const g = 3 * row * H + j;
        const r = fastSigmoid(fromInput[g + H]! + bias[H + j]!);
        cache[k] = fastSigmoid(fromInput[g]! + bias[j]!);
        cache[k + H] = r;
        cache[k + 3 * H] = r * previous[at]!;
      }
    },

    reset(step, dGated) {
      if (gruV3Reset(step, dGated, step.kernels)) return;
      const { units: H, dState, previous, cache, dFromInput } = step;
      for (let at = 0; at < dState.length; at++) {
        const j = at % H;
        const row = (at - j) / H;
        const r = cache[4 * row * H + H + j]!;
        dFromInput[3 * row * H + H + j] = dGated[at]! * previous[at]! * r * (1 - r);
        dState[at] = dState[at]! + dGated[at]! * r;
      }
    },
  },
};
