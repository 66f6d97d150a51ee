import type { ErrorCode } from '@regulon/shared/errors';
import { isSaidByCoordinator } from '@regulon/shared/wire';
import { namedError } from './named-error.js';

/** What a failed step means for this site. */
export type Consequence =
  /** ask again: the connection or the coordinator is not there, or too slow */
  | 'retry'
  /** the coordinator said that this message comes too late: the attempt goes on without it; nothing is wrong */
  | 'left-out'
  /** this site refuses the attempt and says so; the next one may succeed */
  | 'refuse-attempt'
  /** this site takes no further part in the run */
  | 'refuse-run'
  /** the run cannot go on for anybody */
  | 'run-failed'
  /** the daemon must stop: its state or the log cannot be trusted */
  | 'stop';

const consequences: Partial<Record<ErrorCode, Consequence>> = {
  E_CONNECTION: 'retry',
  E_DEADLINE: 'retry',
  E_BUSY: 'retry',
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
  E_RING_BOUND: 'refuse-run',
  E_LOG_ENTRY: 'refuse-run',
  E_BACKEND: 'refuse-run',
};

/** The same codes mean something else when the coordinator says them: it knows, and its troubles are not ours. */
const saidByCoordinator: Partial<Record<ErrorCode, Consequence>> = {
  E_STATE: 'left-out',
  E_NOT_FOUND: 'left-out',
  E_LEASE: 'left-out',
  E_INTERNAL: 'retry',
  E_STATE_DB: 'retry',
};

/**
 * What follows from an error in a step of a round.
 *
 * Where this site itself says no (its own rules, a contradiction of the coordinator, a defect) the coordinator must
 * hear of it: it would wait for this site until the deadline of the stage.
 */
export function consequenceOf(error: unknown): Consequence {
  const named = namedError(error);
  // who just hangs up has said nothing about certificates
  if (named.details['quiet'] === true) return 'retry';
  const said = isSaidByCoordinator(named) ? saidByCoordinator[named.code] : undefined;
  return said ?? consequences[named.code] ?? 'refuse-attempt';
}

/** Code under which the coordinator hears of it. */
export function codeOf(error: unknown): ErrorCode {
  return namedError(error).code;
}
