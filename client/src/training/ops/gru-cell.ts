import { fastSigmoid, fastTanh } from './activation.js';
import type { Cell } from './cell.js';

/**
 * Gated recurrent unit that resets after the recurrent product (the form of PyTorch and cuDNN).
 *
 *     z = σ(x·Wz + h·Uz + b)    r = σ(x·Wr + h·Ur + b)    n = tanh(x·Wn + bn + r ⊙ (h·Un + cn))
 *     h′ = (1 − z) ⊙ n + z ⊙ h
 *
 * Gate order z, r, n; bias [2, 3H]: the first row beside x·W, the second beside h·U.
 *
 * @see Cho et al. 2014, arXiv:1406.1078v1
 */
export const gruCell: Cell = {
  gates: 3,
  cacheWidth: 4,
  additive: false,
  carried: [],

  forward(step) {
    if (step.kernels?.gruForward(step)) return;
    const { batch, units: H, fromInput, fromState, bias, previous, state, cache } = step;
    for (let b = 0; b < batch; b++) {
      const g = b * 3 * H;
      const k = b * 4 * H;
      for (let j = 0; j < H; j++) {
        const zAt = g + j;
        const rAt = zAt + H;
        const nAt = rAt + H;
        const z = fastSigmoid(fromInput[zAt]! + fromState[zAt]! + bias[j]! + bias[3 * H + j]!);
        const r = fastSigmoid(fromInput[rAt]! + fromState[rAt]! + bias[H + j]! + bias[4 * H + j]!);
        const inner = fromState[nAt]! + bias[5 * H + j]!;
        const n = fastTanh(fromInput[nAt]! + bias[2 * H + j]! + r * inner);
        state[b * H + j] = (1 - z) * n + z * previous[b * H + j]!;
        cache[k + j] = z;
        cache[k + H + j] = r;
        cache[k + 2 * H + j] = n;
        cache[k + 3 * H + j] = inner;
      }
    }
  },

  backward(step) {
    if (step.kernels?.gruBackward(step)) return;
    const { batch, units: H, dState, previous, cache, dFromInput, dFromState } = step;
    for (let b = 0; b < batch; b++) {
      const g = b * 3 * H;
      const k = b * 4 * H;
      for (let j = 0; j < H; j++) {
        const at = b * H + j;
        const z = cache[k + j]!;
        const r = cache[k + H + j]!;
        const n = cache[k + 2 * H + j]!;
        const d = dState[at]!;
        const dN = d * (1 - z) * (1 - n * n);
        const dZ = d * (previous[at]! - n) * z * (1 - z);
        const dR = dN * cache[k + 3 * H + j]! * r * (1 - r);
        dFromInput[g + j] = dZ;
        dFromInput[g + H + j] = dR;
        dFromInput[g + 2 * H + j] = dN;
        dFromState[g + j] = dZ;
        dFromState[g + H + j] = dR;
        dFromState[g + 2 * H + j] = dN * r;
        dState[at] = d * z;
      }
    }
  },
};
