/** Tables of the coordinator as kysely sees them; the log has its own (see audit). Times are ms since the epoch. */

/** States of a run, as people see them. */
export type RunStatus =
  'QUEUED' | 'WAITING' | 'RUNNING' | 'PAUSED' | 'COMPLETED' | 'COMPLETED_PARTIAL' | 'ABORTED' | 'FAILED';

/** A plan that was proposed, and what became of it. */
export interface RunTable {
  run_id: Uint8Array;
  name: string;
  /** canonical JSON as submitted, defaults filled in */
  plan: string;
  plan_hash: Uint8Array;
  propose_index: number;
  status: RunStatus;
  since_ms: number;
  created_ms: number;
  started_ms: number | null;
  finished_ms: number | null;
  /** JSON {code, message} of a run that did not complete */
  reason: string | null;
  /** the document that daemons fetch, once the run has started */
  document: Uint8Array | null;
  /** JSON of the result, once finished */
  result: string | null;
}

/** Approval of a run by the steward of a site. */
export interface ApprovalTable {
  run_id: Uint8Array;
  site: number;
  entry_index: number;
}

/** What a site last committed to, per dataset name. */
export interface DatasetTable {
  site: number;
  name: string;
  entry_index: number;
  panel_digest: Uint8Array;
  panel_size: number;
  /** 1 when its steward declares it public or simulated */
  is_public: number;
  /** band of its units, as committed */
  band: string;
}

/** The policy that the steward of a site set last. */
export interface SitePolicyTable {
  site: number;
  entry_index: number;
}

/** State of the pure round machine; one row a round. */
export interface RoundTable {
  run_id: Uint8Array;
  round: number;
  state: string;
}

/** One attempt at a round: what was signed and how it ended. */
export interface AttemptTable {
  run_id: Uint8Array;
  round: number;
  attempt: number;
  manifest: Uint8Array;
  signature: Uint8Array;
  opened_ms: number;
  outcome: 'open' | 'closed' | 'aborted';
  transcript: Uint8Array | null;
  end_signature: Uint8Array | null;
  reason: string | null;
}

/** A persisted step of an attempt, with its time. */
export interface StageTable {
  run_id: Uint8Array;
  round: number;
  attempt: number;
  stage: string;
  at_ms: number;
}

/** Messages of secure aggregation in their canonical bytes; one a kind and site. */
export interface MessageTable {
  run_id: Uint8Array;
  round: number;
  attempt: number;
  kind: string;
  site: number;
  bytes: Uint8Array;
}

/** The commit of an upload; its file is kept as long as the row. */
export interface UploadTable {
  upload_id: Uint8Array;
  run_id: Uint8Array;
  round: number;
  attempt: number;
  site: number;
  root: Uint8Array;
  message: Uint8Array;
  size: number;
  state: 'committing' | 'committed';
  receipt: Uint8Array | null;
}

/** Two commits of one upload with different roots, both signed by the site: evidence, kept when the uploads are not. */
export interface SecondCommitTable {
  run_id: Uint8Array;
  round: number;
  attempt: number;
  site: number;
  /** the commit that counts, as it came */
  first: Uint8Array;
  second: Uint8Array;
}

/** A closed round: enough to replay the program of the run. */
export interface OutcomeTable {
  run_id: Uint8Array;
  round: number;
  attempt: number;
  /** JSON list of site ids */
  survivors: string;
  aggregate_root: Uint8Array;
  aggregate_bytes: number;
  model_hash: Uint8Array | null;
  transcript: Uint8Array;
  closed_ms: number;
  /** JSON of the facts a board shows */
  facts: string;
  /** JSON of the energies of the tiles of the sum, where the plan tests them */
  tiles: string | null;
}

/** Log entries of sites about an attempt. */
export interface RoundEntryTable {
  run_id: Uint8Array;
  round: number;
  attempt: number;
  kind: string;
  site: number;
  entry_index: number;
}

/** Content-addressed files. */
export interface BlobTable {
  digest: Uint8Array;
  size: number;
  kind: 'aggregate' | 'model';
  run_id: Uint8Array;
  arm: number | null;
  round: number;
}

/** A person who may log in. */
export interface AccountTable {
  name: string;
  role: 'researcher' | 'steward' | 'auditor' | 'operator';
  /** PHC string of argon2id; null until its person has chosen one */
  password: string | null;
  /** who the person is at the OpenID provider; such an account has no password */
  subject: string | null;
  /** secret of TOTP, 20 bytes; null when the role has none */
  second_factor: Uint8Array | null;
  /** time step of the last code that was used: a code works once */
  last_step: number;
  /** SHA-256 of the setup code that is open, 32 bytes */
  setup: Uint8Array | null;
  setup_until_ms: number;
  created_ms: number;
}

/** Whom an opaque id of the log means. */
export interface LogPersonTable {
  id: string;
  name: string;
  since_ms: number;
  /** when the account ended; null while there is one */
  until_ms: number | null;
}

/** Somebody who is logged in. */
export interface SessionTable {
  /** SHA-256 of the token, 32 bytes */
  token: Uint8Array;
  name: string;
  expires_ms: number;
}

/** Attempts to log in that did not succeed, also of names without an account. */
export interface LoginFailureTable {
  name: string;
  failures: number;
  until_ms: number;
  forget_ms: number;
}

/** All tables by name. */
export interface Schema {
  accounts: AccountTable;
  sessions: SessionTable;
  login_failures: LoginFailureTable;
  log_people: LogPersonTable;
  runs: RunTable;
  approvals: ApprovalTable;
  datasets: DatasetTable;
  site_policies: SitePolicyTable;
  rounds: RoundTable;
  attempts: AttemptTable;
  stages: StageTable;
  messages: MessageTable;
  uploads: UploadTable;
  second_commits: SecondCommitTable;
  outcomes: OutcomeTable;
  round_entries: RoundEntryTable;
  blobs: BlobTable;
}
