import { RegulonError } from '@regulon/shared/errors';

/**
 * The one named error for a trainer process that ended by itself.
 *
 * @param lastLine last line of its error output; only looked at, since a foreign library may quote what it choked on
 * @returns E_TRAINER_OOM if V8 or the system ran out of memory, else E_TRAINER_CRASH
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
  return new RegulonError('E_TRAINER_CRASH', `the trainer ended with ${how}`);
}
