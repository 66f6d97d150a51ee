/** The JSON of the REST API, version 1. Digests are `sha256:<hex>`, times ms since the epoch, bytes base64. */
import type { CurvePoint, Metrics, RunResult, ValidationPoint } from '@regulon/shared/program';
import type { ReopenDocument } from '@regulon/shared/transparency';
import type { RunEvent } from './run-events.js';
import type { Coverage } from './run-outcome.js';
import type { RoundFacts } from '../rounds/index.js';
import type { RunStatus } from '../storage/index.js';

export type { ReopenDocument };
export type { Coverage, CurvePoint, Metrics, RoundFacts, RunEvent, RunResult, ValidationPoint };

/** State of a run, as people see it. */
export type RunStatusText = RunStatus;

/** `POST /api/v1/runs` */
export interface ProposeRequest {
  /** plan.propose entry, sealed by the researcher */
  readonly entry: string;
  /** the plan as JSON; its canonical bytes become the attachment of the entry */
  readonly plan: unknown;
  /** further attachments of the entry */
  readonly attachments?: readonly string[];
}

/** answer to a proposal */
export interface ProposeReply {
  readonly run: string;
  readonly index: number;
}

/** `GET /api/v1/runs/:id/reopen`: what administrators may sign to let a burnt round be answered once more */
export interface ReopenReply {
  readonly document: ReopenDocument;
  /** why the round came to nothing */
  readonly reason: { readonly code: string; readonly message: string };
  /** public keys, hexadecimal */
  readonly administrators: readonly { readonly id: number; readonly key: string }[];
  /** how many of them must sign */
  readonly needed: number;
}

/** `POST /api/v1/runs/:id/approvals` and `POST /api/v1/log/entries`: entries of stewards, in their order */
export interface EntriesRequest {
  readonly entries: readonly string[];
  readonly attachments?: readonly string[];
}

/** where the entries stand, in their order */
export interface EntriesReply {
  readonly indexes: readonly number[];
}

/** A state of the log, as checkpoints name it. */
export interface LogState {
  readonly size: number;
  /** digest text */
  readonly root: string;
}

/** `GET /api/v1/log`: the newest checkpoint. */
export interface LogHead extends LogState {
  readonly note: string;
  /** size of the newest one that a quorum cosigned */
  readonly cosigned: number | null;
}

/** `POST /api/v1/log/reports`: a report on the log was issued. */
export interface ReportRequest {
  /** digest text of its bytes */
  readonly report: string;
  readonly checkpoint: LogState;
  /** name and version of the program that judged */
  readonly verifier: string;
}

/** `POST /api/v1/log/baselines`: the first entries in short. */
export interface BaselineRequest {
  /** whole bundles of 256 */
  readonly entries: number;
}

/** `POST /api/v1/log/prunings`: the first entries go. */
export interface PruneRequest {
  /** first entry that stays; null: as far as everything has outlived its class */
  readonly below: number | null;
}

/** What then stands in the log. */
export interface PruneReply {
  /** of the `log.prune` */
  readonly index: number;
  /** first entry that stays */
  readonly size: number;
  /** false while its checkpoint waits for cosignatures: the entries go with them */
  readonly removed: boolean;
}

/** `POST /api/v1/log/anchors`: somebody outside dated a checkpoint. */
export interface AnchorRequest {
  readonly checkpoint: LogState;
  readonly form: 'rfc3161' | 'public-log';
  /** base64 */
  readonly token: string;
}

/** `POST /api/v1/log/attachments` */
export interface AttachmentsRequest {
  readonly attachments: readonly { readonly bytes: string; readonly mediaType?: string }[];
}

/** `sha256:…` of each attachment, in their order */
export interface AttachmentsReply {
  readonly digests: readonly string[];
}

/** `GET /api/v1/log/actors/:type/:id`: where the next entry of an actor stands; null before its first */
export interface ActorHead {
  readonly seq: number;
  /** entry hash, hexadecimal */
  readonly hash: string;
  readonly at: string;
}

/** `GET /api/v1/runs` */
export interface RunList {
  readonly runs: readonly RunSummary[];
}

/** one run of the list */
export interface RunSummary {
  readonly run: string;
  readonly name: string;
  readonly status: RunStatusText;
  readonly since: number;
  readonly created: number;
  readonly sites: number;
  readonly rounds: { readonly closed: number; readonly of: number };
  readonly reason: { readonly code: string; readonly message: string } | null;
}

/** `GET /api/v1/runs/:id` */
export interface RunDocument extends Omit<RunSummary, 'sites' | 'rounds'> {
  readonly schema: 'regulon.run/1';
  readonly title: string;
  readonly plan: unknown;
  readonly planHash: string;
  readonly started: number | null;
  readonly finished: number | null;
  readonly isPublic: boolean | null;
  readonly sites: readonly SiteInRun[];
  /** rounds of the whole schedule; null before the run starts */
  readonly schedule: {
    readonly rounds: number;
    readonly arms: readonly { readonly arm: number; readonly label: string }[];
  } | null;
  /** the round under way */
  readonly now: {
    readonly round: number;
    readonly attempt: number;
    readonly purpose: string;
    readonly step: string;
    readonly arm: number;
    readonly stage: string;
    readonly since: number | null;
    readonly waitingFor: readonly number[];
  } | null;
  readonly rounds: readonly RoundFacts[];
  readonly coverage: Coverage | null;
  readonly curve: readonly CurvePoint[];
  /** scores of the validation rounds, by secure sums; empty where the plan has none */
  readonly validation: readonly ValidationPoint[];
  readonly result: RunResult | null;
  /** digest of the model of the first arm, once there is one */
  readonly modelDigest: string | null;
  readonly models: readonly {
    readonly arm: number;
    readonly label: string;
    readonly digest: string;
    readonly parameters: number;
    /** training round of the arm that gave it, from 1: not the last one where early stopping keeps the best */
    readonly trainingRound?: number;
  }[];
  readonly log: { readonly size: number; readonly root: string };
  /** longest block of the coordinator's event loop since it was ready, ms */
  readonly eventLoopMaxMs: number;
}

/** a site of the plan */
export interface SiteInRun {
  readonly id: number;
  readonly name: string;
  readonly connected: boolean;
  /** since when */
  readonly since: number | null;
  readonly approved: boolean;
  /** what its steward has said instead of an approval, or after it */
  readonly refused: 'rejected' | 'withdrawn' | 'data withdrawn' | null;
  /** when, RFC 3339 by the steward's clock */
  readonly refusedAt: string | null;
  /** whether it has committed the dataset of the plan */
  readonly dataset: { readonly panel: string; readonly size: number; readonly isPublic: boolean } | null;
}

/** `GET /api/v1/sites` */
export interface SiteList {
  readonly sites: readonly {
    readonly id: number;
    readonly name: string;
    readonly org: string;
    readonly connected: boolean;
    readonly since: number | null;
    /** names of committed datasets */
    readonly datasets: readonly string[];
    readonly policy: boolean;
  }[];
}

/** `GET /api/v1/models/:digest/spec` */
export interface ModelSpecification {
  readonly schema: 'regulon.model/1';
  readonly digest: string;
  readonly run: string;
  readonly arm: number;
  readonly declaration: unknown;
  /** of the run, defaults filled in: task, classes, kind and scale of the data */
  readonly plan: unknown;
  readonly dtype: 'float32';
  readonly byteOrder: 'little';
  readonly bytes: number;
  readonly weights: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly offset: number;
    readonly size: number;
  }[];
  /** base64 of the encoded feature specification, or null for series */
  readonly featureSpecification: string | null;
  readonly panelDigest: string;
}
