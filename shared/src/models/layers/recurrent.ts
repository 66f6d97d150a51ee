import { z } from 'zod';
import { type Inferred, type LayerWeight, type Place, sequence, type Shape } from '../shape.js';
import { size } from './schema.js';

const options = {
  units: size(4096),
  /** true: one output a step, shape [steps, units]; false: the state after the last step that is not padded, [units] */
  returnSequences: z.boolean().default(false),
  /** read also from the last step to the first; outputs side by side, so twice as wide */
  bidirectional: z.boolean().default(false),
};

/**
 * `gru` resets after the recurrent product (PyTorch, cuDNN; arXiv:1406.1078v1), `gru-v3` before it (TensorFlow.js
 * layers; arXiv:1406.1078v3). Weights of one do not fit the other.
 */
export const recurrentSchemas = [
  z.strictObject({ type: z.literal('gru'), ...options }),
  z.strictObject({ type: z.literal('gru-v3'), ...options }),
  z.strictObject({ type: z.literal('lstm'), ...options }),
  z.strictObject({ type: z.literal('simple-rnn'), ...options }),
] as const;

type Recurrent = z.output<(typeof recurrentSchemas)[number]>;

const GATES = { gru: 3, 'gru-v3': 3, lstm: 4, 'simple-rnn': 1 } as const;
/** numbers that the way back keeps for one step, in units of the state */
const CACHE = { gru: 4, 'gru-v3': 4, lstm: 6, 'simple-rnn': 1 } as const;

/** Gate order in the last dimension: GRU z, r, candidate; LSTM input, forget, candidate, output. */
export function inferRecurrent(layer: Recurrent, given: Shape, place: Place): Inferred {
  const shape = sequence(place, given);
  const [steps, channels] = shape;
  const { units, bidirectional, returnSequences } = layer;
  const width = GATES[layer.type] * units;
  const weights = (direction: string): LayerWeight[] => [
    { role: `${direction}kernel`, shape: [channels, width], init: 'glorot-uniform' },
    { role: `${direction}recurrent`, shape: [units, width], init: 'orthogonal' },
    // a GRU that resets after the product has a second bias inside the reset: a parameter of its own
    { role: `${direction}bias`, shape: layer.type === 'gru' ? [2, width] : [width], init: 'zeros' },
  ];
  const out = bidirectional ? 2 * units : units;
  return {
    inputShape: shape,
    outputShape: returnSequences ? [steps, out] : [out],
    weights: bidirectional ? [...weights(''), ...weights('reverse/')] : weights(''),
    mask: returnSequences ? 'keeps' : 'ends',
    scratch: steps * (channels + out * (2 + CACHE[layer.type])),
  };
}
