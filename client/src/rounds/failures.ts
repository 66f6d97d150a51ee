import { type ErrorCode, isRegulonError } from '@regulon/shared/errors';

/** What a failed step means for this site. */
export type Consequence =
  /** ask again: the connection or the coordinator is not there */
  | 'retry'
  /** the attempt goes on without this site; nothing is wrong */
  | 'left-out'
  /** this site refuses the attempt; the next one may succeed */
  | 'refuse-attempt'
  /** this site takes no further part in the run */
  | 'refuse-run'
  /** the run cannot go on for anybody */
  | 'run-failed'
  /** the daemon must stop: its state or the log cannot be trusted */
  | 'stop';

const consequences: Partial<Record<ErrorCode, Consequence>> = {
  E_CONNECTION: 'retry',
  E_BUSY: 'retry',
  E_STATE: 'left-out',
  E_NOT_FOUND: 'left-out',
  E_LEASE: 'left-out',
  E_DEADLINE: 'left-out',
  E_FAULT: 'run-failed',
  E_UNITS: 'run-failed',
  E_RUN_ABORTED: 'run-failed',
  E_QUARANTINE: 'stop',
  E_STATE_DB: 'stop',
  E_LOG_EQUIVOCATION: 'stop',
  E_FORK: 'stop',
  E_VERIFY: 'stop',
  E_POLICY: 'refuse-run',
  E_PLAN: 'refuse-run',
  E_PANEL: 'refuse-run',
  E_LABEL: 'refuse-run',
  E_LABEL_MISSING: 'refuse-run',
  E_MODEL: 'refuse-run',
  E_MODEL_SHAPE: 'refuse-run',
  E_ROSTER: 'refuse-run',
  E_REPLAY: 'refuse-attempt',
  E_RING_BOUND: 'refuse-run',
  E_LOG_ENTRY: 'refuse-run',
  E_BACKEND: 'refuse-run',
};

/** What follows from an error in a step of a round. */
export function consequenceOf(error: unknown): Consequence {
  return isRegulonError(error) ? (consequences[error.code] ?? 'refuse-attempt') : 'refuse-attempt';
}

/** Code under which the coordinator hears of it. */
export function codeOf(error: unknown): ErrorCode {
  return isRegulonError(error) ? error.code : 'E_INTERNAL';
}
