import { RegulonError } from '@regulon/shared/errors';

/**
 * Parse an argument that is a whole number.
 *
 * @param option names it in the error
 * @param low, high smallest and largest number allowed
 * @param hint what to do next; default: see the help of `regulon`
 * @throws E_ARGUMENT when the text is no such number
 */
export function wholeNumber(option: string, text: string, low: number, high: number, hint?: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= low && value <= high) return value;
  throw new RegulonError('E_ARGUMENT', `${option}: needs a whole number from ${low} to ${high}`, {
    ...(hint === undefined ? {} : { hint }),
  });
}
