import { fastSigmoid, fastTanh } from './activation.js';
import type { Cell } from './cell.js';

/**
 * Long short-term memory.
 *
 *     i, f, o = σ(x·W + h·U + b)    g = tanh(x·W + h·U + b)    c′ = f ⊙ c + i ⊙ g    h′ = o ⊙ tanh(c′)
 *
 * Gate order i, f, g, o; bias [4H]. The cell state c lives in the cache.
 *
 * @see Hochreiter & Schmidhuber 1997; Gers et al. 2000 (forget gate)
 */
export const lstmCell: Cell = {
  gates: 4,
  cacheWidth: 6,
  additive: true,
  carried: [4],

  forward(step) {
    if (step.kernels?.lstmForward(step)) return;
    const { batch, units: H, fromInput, bias, previousCache, state, cache } = step;
    for (let b = 0; b < batch; b++) {
      const row = b * 4 * H;
      const k = b * 6 * H;
      for (let j = 0; j < H; j++) {
        const sum = (gate: number) => fromInput[row + gate * H + j]! + bias[gate * H + j]!;
        const i = fastSigmoid(sum(0));
        const f = fastSigmoid(sum(1));
        const g = fastTanh(sum(2));
        const o = fastSigmoid(sum(3));
        const c = f * (previousCache ? previousCache[k + 4 * H + j]! : 0) + i * g;
        const squashed = fastTanh(c);
        state[b * H + j] = o * squashed;
        cache[k + j] = i;
        cache[k + H + j] = f;
        cache[k + 2 * H + j] = g;
        cache[k + 3 * H + j] = o;
        cache[k + 4 * H + j] = c;
        cache[k + 5 * H + j] = squashed;
      }
    }
  },

  backward(step) {
    if (step.kernels?.lstmBackward(step)) return;
    const { batch, units: H, dState, dCarry, cache, previousCache, dFromInput } = step;
    for (let b = 0; b < batch; b++) {
      const row = b * 4 * H;
      const k = b * 6 * H;
      for (let j = 0; j < H; j++) {
        const at = b * H + j;
        const i = cache[k + j]!;
        const f = cache[k + H + j]!;
        const g = cache[k + 2 * H + j]!;
        const o = cache[k + 3 * H + j]!;
        const squashed = cache[k + 5 * H + j]!;
        const d = dState[at]!;
        const dC = dCarry[at]! + d * o * (1 - squashed * squashed);
        dFromInput[row + j] = dC * g * i * (1 - i);
        dFromInput[row + H + j] = dC * (previousCache ? previousCache[k + 4 * H + j]! : 0) * f * (1 - f);
        dFromInput[row + 2 * H + j] = dC * i * (1 - g * g);
        dFromInput[row + 3 * H + j] = d * squashed * o * (1 - o);
        dCarry[at] = dC * f;
        // the state before is reached through h·U only
        dState[at] = 0;
      }
    }
  },
};
