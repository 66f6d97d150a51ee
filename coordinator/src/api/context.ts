import type { Deeds, Sequencer } from '../audit/index.js';
import type { Accounts, IdentityProvider } from '../auth/index.js';
import type { Caller } from '../identity/index.js';
import type { Metrics } from '../metrics/index.js';
import type { LogIntake, RunsService, RunViews } from '../runs/index.js';

/** Injection token of what the controllers stand on. */
export const API_CONTEXT = Symbol('api context');

/** Services behind the REST API. */
export interface ApiContext {
  readonly bearerToken: string;
  readonly accounts: Accounts;
  /** where people may log in too, if there is such a place */
  readonly provider: IdentityProvider | undefined;
  /** somebody is about to change something; goes to the coordinator's own log with the account or run that it is about */
  readonly acted: (caller: Caller, what: string, about?: string) => void;
  /** what people do and take, for the log */
  readonly deeds: Deeds;
  readonly runs: RunsService;
  readonly views: RunViews;
  readonly intake: LogIntake;
  readonly sequencer: Sequencer;
  /** resolves when a quorum has cosigned what the log holds now, or does not come */
  readonly settleLog: () => Promise<void>;
  readonly metrics: Metrics;
  /** null when ready, else why not */
  readonly notReady: () => string | null;
}
