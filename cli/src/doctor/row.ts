import { isRegulonError } from '@regulon/shared/errors';
import { namedError } from '../output/index.js';

/** How a check ended; a warning lets the site work. */
export type RowStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** One line of the doctor's answer. */
export interface DoctorRow {
  /** as in docs: D1, D2 … */
  readonly id: string;
  readonly check: string;
  readonly status: RowStatus;
  /** what was found */
  readonly note: string;
  /** what to do, empty when nothing is */
  readonly remedy: string;
}

/** What a check found. */
export type Finding = Pick<DoctorRow, 'status' | 'note' | 'remedy'>;

/** It is as it should be. */
export const ok = (note: string): Finding => ({ status: 'ok', note, remedy: '' });
/** The site works, but somebody should act. */
export const warning = (note: string, remedy: string): Finding => ({ status: 'warning', note, remedy });
/** The site does not work, or must not. */
export const failed = (note: string, remedy: string): Finding => ({ status: 'failed', note, remedy });
/** It could not be looked at. */
export const skipped = (note: string): Finding => ({ status: 'skipped', note, remedy: '' });

/** A check under way. */
export type Look = () => Finding | Promise<Finding>;

/** A check that throws has failed, with the error's own words and next step. */
export async function rowOf(id: string, check: string, look: Look): Promise<DoctorRow> {
  try {
    return { id, check, ...(await look()) };
  } catch (cause) {
    const error = namedError(cause);
    const message = error instanceof Error ? error.message : String(error);
    const remedy = isRegulonError(error) ? error.hint : 'this is a defect: report it with this row';
    return { id, check, ...failed(message, remedy) };
  }
}
