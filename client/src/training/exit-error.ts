import { RegulonError } from '@regulon/shared/errors';
import { tellsOfLostDevice } from './device-error.js';

/**
 * The one named error for a trainer process that ended by itself.
 *
 * @param lastLine last line of its error output; only looked at, since a foreign library may quote what it choked on
 * @returns E_TRAINER_OOM if V8, the system or a device ran out of memory, E_DEVICE_LOST if CUDA said so, else
 *   E_TRAINER_CRASH
 */
export function exitError(
  code: number | null,
  signal: NodeJS.Signals | null,
  lastLine: string,
): RegulonError {
  const how = signal === null ? `exit status ${code ?? 'unknown'}` : `signal ${signal}`;
  if (/heap out of memory|allocation failed|out of memory/i.test(lastLine) || code === 137) {
    return new RegulonError('E_TRAINER_OOM', `the trainer ran out of memory (${how})`);
  }
  if (tellsOfLostDevice(lastLine)) {
    return new RegulonError('E_DEVICE_LOST', `the device is lost, and the trainer with it (${how})`);
  }
  return new RegulonError('E_TRAINER_CRASH', `the trainer ended with ${how}`);
}
