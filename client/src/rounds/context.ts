import type { Logger } from 'pino';
import type { DaemonConfig } from '../config/index.js';
import type { Objections } from '../consent/index.js';
import type { SiteKeys } from '../enrol/index.js';
import type { Federation, SiteView } from '../policy/index.js';
import type {
  AnsweredTable,
  AttemptJournal,
  Ledger,
  Outbox,
  RunJournal,
  SiteState,
  UnitSetTable,
} from '../state/index.js';
import type { CoordinatorLink } from '../transport/index.js';
import type { Baselines, CheckpointGate, LogFollower } from '../witness/index.js';
import type { CrashPoints } from './crash-points.js';
import type { SiteData } from '../datasets/index.js';

/** Everything that the rounds of a site need; made once by the daemon. */
export interface SiteContext {
  readonly config: DaemonConfig;
  readonly keys: SiteKeys;
  readonly federation: Federation;
  readonly site: SiteView;
  /** what the steward of this site has taken back at this site itself */
  readonly objections: Pick<Objections, 'verifyNone'>;
  readonly state: SiteState;
  readonly runs: RunJournal;
  readonly attempts: AttemptJournal;
  readonly answered: AnsweredTable;
  readonly unitSets: UnitSetTable;
  /** keys the digests of units, 32 bytes; never leaves */
  readonly unitKey: Uint8Array;
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly link: CoordinatorLink;
  readonly log: LogFollower;
  /** what the coordinator proposes of the first entries */
  readonly baselines: Pick<Baselines, 'sign'>;
  readonly gate: CheckpointGate;
  readonly data: SiteData;
  readonly crash: CrashPoints;
  readonly logger: Logger;
  /** position of this process's `config.start` entry in the log, null until the coordinator has it */
  readonly startIndex: () => number | null;
  /** send what waits in the outbox */
  readonly drainOutbox: () => Promise<void>;
}
