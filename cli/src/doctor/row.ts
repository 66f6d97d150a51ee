import { isRegulonError } from '@regulon/shared/errors';

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

export const ok = (note: string): Finding => ({ status: 'ok', note, remedy: '' });
export const warning = (note: string, remedy: string): Finding => ({ status: 'warning', note, remedy });
export const failed = (note: string, remedy: string): Finding => ({ status: 'failed', note, remedy });
export const skipped = (note: string): Finding => ({ status: 'skipped', note, remedy: '' });

/** A check that throws has failed, with the error's own words. */
export async function rowOf(
  id: string,
  check: string,
  look: () => Finding | Promise<Finding>,
): Promise<DoctorRow> {
  try {
    return { id, check, ...(await look()) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const remedy = isRegulonError(error) ? error.hint : 'see the message';
    return { id, check, ...failed(message, remedy) };
  }
}
