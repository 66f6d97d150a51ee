import { fastTanh } from './activation.js';
import type { Cell } from './cell.js';

/** Plain recurrent unit: h′ = tanh(x·W + h·U + b). @see Elman 1990 */
export const simpleRnnCell: Cell = {
  gates: 1,
  cacheWidth: 1,
  additive: true,
  carried: [],

  forward({ units, fromInput, bias, state }) {
    for (let i = 0; i < state.length; i++) {
      state[i] = fastTanh(fromInput[i]! + bias[i % units]!);
    }
  },

  backward({ dState, state, dFromInput }) {
    for (let i = 0; i < dState.length; i++) {
      dFromInput[i] = dState[i]! * (1 - state[i]! * state[i]!);
      dState[i] = 0;
    }
  },
};
