import { RegulonError } from '@regulon/shared/errors';

/**
 * Parse an argument that is a number; its range is checked where it is used.
 *
 * @param option names it in the error
 * @throws E_ARGUMENT when the text is no finite number
 */
export function realNumber(option: string, text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new RegulonError('E_ARGUMENT', `${option}: needs a number, e.g. 0.01 or 1e-5`);
}
