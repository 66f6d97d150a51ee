import type { RunDocument } from '@regulon/coordinator/runs';
import { RegulonError } from '@regulon/shared/errors';
import { isErrorCode } from '../output/index.js';

/** Why a run ended without its result, under the code that the coordinator recorded; null for any other run. */
export function runFailure({ run, status, reason }: RunDocument): RegulonError | null {
  if (status !== 'ABORTED' && status !== 'FAILED') return null;
  const { code, message } = reason ?? { code: 'E_RUN_ABORTED', message: 'no reason was recorded' };
  return new RegulonError(isErrorCode(code) ? code : 'E_RUN_ABORTED', `${run} ${status}: ${message}`);
}
