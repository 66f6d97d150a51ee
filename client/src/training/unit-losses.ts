import { RegulonError } from '@regulon/shared/errors';
import type { TrainingBackend } from './backends/backend.js';
import type { UnitData } from './data.js';
import { outputsInBatches } from './inference.js';
import type { Network } from './network.js';

/**
 * Loss of each unit by itself, for a test of what a model remembers.
 *
 * @param weights flat [P]
 * @returns [n], float32; the caller owns it
 * @throws E_LOSS_NOT_FINITE if an output is NaN or infinite
 * @throws E_ARGUMENT for a loss that compares units with each other
 */
export function lossesOfUnits(
  network: Network,
  weights: Float32Array,
  data: UnitData,
  backend: TrainingBackend,
): Float32Array {
  if (network.heads.some(({ loss }) => loss?.type === 'cox'))
    throw new RegulonError('E_ARGUMENT', 'the loss of Cox compares units: no unit has one of its own', {
      hint: 'its membership test is not built',
    });
  const losses = new Float32Array(data.n);
  outputsInBatches(network, weights, data, backend, (values, rows) => {
    const width = values.length / rows.length;
    rows.forEach((row, i) => {
      const { lossSum, targetCount } = data.lossOf(values.slice(i * width, (i + 1) * width), [row]);
      losses[row] = lossSum / Math.max(1, targetCount);
    });
  });
  if (losses.every(Number.isFinite)) return losses;
  throw new RegulonError('E_LOSS_NOT_FINITE', 'the loss of a unit is not finite');
}
