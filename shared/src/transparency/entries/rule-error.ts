import { type ErrorDetails, RegulonError } from '../../errors/index.js';

/** Rows of the compliance checklist that a single entry can break. */
export type EntryRule = 'L1' | 'L3' | 'L4' | 'D1' | 'A1' | 'A2' | 'A3';

/** Refusal of an entry: E_LOG_ENTRY with the broken row in `details.rule`. */
export function entryRefused(
  rule: EntryRule,
  what: string,
  details: ErrorDetails = {},
  retryable = false,
): RegulonError {
  return new RegulonError('E_LOG_ENTRY', what, { details: { rule, ...details }, retryable });
}
