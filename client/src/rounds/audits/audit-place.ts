import type { ScheduledRound } from '@regulon/shared/program';
import type { Manifest, MaskEngine } from '@regulon/shared/secagg';
import type { Agreement } from '../../policy/index.js';
import type { AttemptRow } from '../../state/index.js';
import type { SiteContext } from '../context.js';

/** What the audits of a run need of it. */
export interface AuditPlace {
  readonly site: SiteContext;
  /** `run_…` */
  readonly run: string;
  /** 16 bytes */
  readonly runId: Uint8Array;
  readonly agreement: Agreement;
  readonly engine: MaskEngine;
  /** the site's own secret of this run, 32 bytes: its choice of tiles follows from it */
  readonly roundingSecret: Uint8Array;
  /** where the evidence of a wrong sum is kept */
  readonly folder: string;
}

/** A closed round whose sum this site has taken over. */
export interface AuditedRound {
  readonly round: ScheduledRound;
  readonly attempt: number;
  /** of its sum, 32 bytes */
  readonly aggregateRoot: Uint8Array;
  /** digest of what this site derived from the sum, 32 bytes */
  readonly modelOut: Uint8Array;
  /** manifest of the attempt, as far as this site has it */
  readonly manifest: Manifest | undefined;
  /** this site's own record of the attempt, when it took part */
  readonly own: AttemptRow | undefined;
}
