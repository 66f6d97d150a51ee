import { type ErrorCode, RegulonError } from '@regulon/shared/errors';
import { isSaidByCoordinator } from '@regulon/shared/wire';
import { namedError } from '../../errors/index.js';

/** What a failed step means for this site. */
export type Consequence =
  /** ask again: the connection or the coordinator is not there, or too slow */
  | 'retry'
  /** the coordinator does not take this message (it may be too late): the attempt goes on without it */
  | 'left-out'
  /** this site cannot contribute to the attempt and says so; it still confirms and answers for the others */
  | 'sit-out'
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
  E_CLOCK: 'retry',
  E_GATE: 'sit-out',
  E_TRAINER_CRASH: 'sit-out',
  E_TRAINER_OOM: 'sit-out',
  E_TRAINER_TIMEOUT: 'sit-out',
  E_DEVICE_LOST: 'sit-out',
  E_FAULT: 'run-failed',
  E_CEILING: 'run-failed',
  E_OUTLIER: 'run-failed',
  E_WORSENED: 'run-failed',
  E_UNITS: 'run-failed',
  E_DESIGN: 'run-failed',
  E_RUN_ABORTED: 'run-failed',
  E_QUARANTINE: 'stop',
  E_STATE_DB: 'stop',
  E_LOG_EQUIVOCATION: 'stop',
  E_FORK: 'stop',
  E_VERIFY: 'stop',
  E_BACKEND_DRIFT: 'stop',
  E_POLICY: 'refuse-run',
  E_BUDGET: 'refuse-run',
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

/** What a site cannot contribute for a reason that the next attempt does not have. */
export class SitsOut extends RegulonError {}

/**
 * The same codes mean something else when the coordinator says them: its troubles are not ours, and what it claims of
 * us is no finding. Nothing it says stops this site, ends a run here, or wipes a secret.
 */
const troublesOfCoordinator: ReadonlySet<ErrorCode> = new Set([
  ...(['E_CONNECTION', 'E_DEADLINE', 'E_BUSY', 'E_INTERNAL', 'E_STATE_DB', 'E_DISK_FULL'] as const),
]);

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
  if (named instanceof SitsOut) return 'sit-out';
  if (isSaidByCoordinator(named)) return troublesOfCoordinator.has(named.code) ? 'retry' : 'left-out';
  return consequences[named.code] ?? 'refuse-attempt';
}

/** True when nothing is wrong at this site: the connection or the coordinator is to blame, and later it may go. */
export function isPassing(error: unknown): boolean {
  const consequence = consequenceOf(error);
  return consequence === 'retry' || consequence === 'left-out';
}

/** Codes that follow from the data of this site: which of them it was would tell something of the data. */
const ofTheData: ReadonlySet<ErrorCode> = new Set([
  ...(['E_UNITS', 'E_LABEL', 'E_LABEL_MISSING', 'E_FAULT', 'E_CLIP_NORM', 'E_TRAINER_OOM'] as const),
  ...(['E_DATA_FORMAT', 'E_DATA_NOT_FINITE', 'E_DATA_DUPLICATE', 'E_DATA_SCALE'] as const),
  ...(['E_LOSS_NOT_FINITE', 'E_NOT_FINITE'] as const),
]);

/** The code of an error, for this site's own people. */
export function codeOf(error: unknown): ErrorCode {
  return namedError(error).code;
}

/** Code under which the coordinator hears of it: one for all that depends on the data. */
export function wireCodeOf(error: unknown): ErrorCode {
  const code = codeOf(error);
  return ofTheData.has(code) ? 'E_POLICY' : code;
}
