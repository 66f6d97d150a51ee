import type { Roster } from '@regulon/shared/plan';
import type { RosterView } from '@regulon/shared/secagg';
import type { Sequencer } from '../audit/index.js';
import type { Config } from '../config/index.js';
import type { Services } from '../rounds/index.js';
import type { Presence } from '../sites/index.js';
import type { RunRows } from '../storage/index.js';
import type { LogIntake } from './log-intake.js';

/** What the life cycle of runs stands on. */
export interface RunsContext {
  readonly services: Services;
  readonly runs: RunRows;
  readonly sequencer: Sequencer;
  readonly intake: LogIntake;
  readonly presence: Presence;
  readonly roster: Roster;
  readonly rosterView: RosterView;
  readonly config: Config;
  /** a run begins: keys that live for a run change */
  readonly onStart: () => void;
}
