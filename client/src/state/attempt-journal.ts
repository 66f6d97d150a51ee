import { plain } from './run-journal.js';
import type { SiteState } from './site-state.js';

/** How far this site is in an attempt; `masked` is never stored, as nothing leaves between it and the next. */
export const Step = {
  joined: 0,
  shared: 1,
  masked: 2,
  contributed: 3,
  committed: 4,
  confirmed: 5,
  answered: 6,
} as const;
export type Step = (typeof Step)[keyof typeof Step];

/** Public facts of an attempt, kept as JSON. */
export interface AttemptFacts {
  /** 32 bytes, hexadecimal */
  readonly h1?: string;
  /** 32 bytes, hexadecimal */
  readonly h2?: string;
  /** masked vector: Merkle root in hexadecimal, ring words, file relative to the run's folder */
  readonly upload?: { readonly root: string; readonly length: number; readonly file: string };
  /** coordinator's receipt, hexadecimal */
  readonly receipt?: string;
  /** h3 of the survivors that this site signed in R3, hexadecimal */
  readonly h3?: string;
  /** the administrators reopened the round for this attempt: its contributors, ascending */
  readonly reopenedFor?: readonly number[];
  /** |U1|, or of this site's group of it */
  readonly u1?: number;
  /** with sub-cohorts: the sites of each group of U1, in their order */
  readonly groups?: readonly (readonly number[])[];
  /** start of the R2 window, RFC 3339 */
  readonly uploadStart?: string;
  /** U2: mask public key and self-mask commitment of each member, hexadecimal; what a spot audit needs */
  readonly peers?: readonly { readonly id: number; readonly sPk: string; readonly cb: string }[];
}

export interface AttemptRow {
  readonly run: string;
  readonly round: number;
  readonly attempt: number;
  readonly step: Step;
  readonly manifest: Uint8Array;
  readonly signature: Uint8Array;
  /** snapshot of the protocol machine, or null after the secrets were wiped */
  readonly snapshot: Uint8Array | null;
  readonly facts: AttemptFacts;
}

/** Attempts of rounds; protocol secrets are sealed before the message that needs them leaves. */
export class AttemptJournal {
  /** @param now ms since the epoch */
  constructor(
    private readonly state: SiteState,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Persist a step. Each after which something new may leave advances the counter outside the database; a receipt need
   * not even survive a power failure: the same upload gets the same receipt again.
   *
   * @throws E_DISK_FULL, E_STATE_DB
   */
  save(
    row: Omit<AttemptRow, 'snapshot'> & { readonly snapshot: Uint8Array },
    also: () => void = () => undefined,
  ): void {
    const { db, sealing } = this.state;
    const change = (): void => {
      db.prepare(
        `INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, round, attempt)
         DO UPDATE SET stage = excluded.stage, sealed = excluded.sealed, facts = excluded.facts,
         manifest = excluded.manifest, signature = excluded.signature`,
      ).run(
        row.run,
        row.round,
        row.attempt,
        row.step,
        row.manifest,
        row.signature,
        sealing.seal(row.snapshot),
        JSON.stringify(row.facts),
        this.now(),
      );
      also();
    };
    if (row.step === Step.committed) this.state.transactSoon('attempt journal', change);
    else this.state.journal('attempt journal', change);
  }

  find(run: string, round: number, attempt: number): AttemptRow | undefined {
    const row = this.state.db
      .prepare('SELECT * FROM attempts WHERE run = ? AND round = ? AND attempt = ?')
      .get(run, round, attempt) as Raw | undefined;
    return row && this.fromRaw(row);
  }

  /** Encoded manifest of the last attempt of a run in which this site signed R1. */
  lastShared(run: string): Uint8Array | undefined {
    const row = this.state.db
      .prepare(
        'SELECT manifest FROM attempts WHERE run = ? AND stage >= ? ORDER BY round DESC, attempt DESC LIMIT 1',
      )
      .get(run, Step.shared) as { manifest: Buffer } | undefined;
    return row && plain(row.manifest);
  }

  /** Attempts of a round in which this site may have sent masked bytes. */
  spent(run: string, round: number): number {
    const row = this.state.db
      .prepare('SELECT count(*) AS n FROM attempts WHERE run = ? AND round = ? AND stage >= ?')
      .get(run, round, Step.contributed) as { n: number };
    return row.n;
  }

  /**
   * When the last attempt began in which this site may have sent masked bytes, apart from one round, ms since the epoch; 0
   * when there is none.
   */
  lastContributed(run: string, round: number): number {
    const row = this.state.db
      .prepare('SELECT max(joined_at) AS at FROM attempts WHERE stage >= ? AND NOT (run = ? AND round = ?)')
      .get(Step.contributed, run, round) as { at: number | null };
    return row.at ?? 0;
  }

  /** Forget the secrets of attempts that began before a time, however they stand. @returns how many had secrets */
  wipeBefore(time: number): number {
    return this.state.transact(
      'attempt journal',
      () =>
        this.state.db
          .prepare('UPDATE attempts SET sealed = NULL WHERE sealed IS NOT NULL AND joined_at < ?')
          .run(time).changes,
    );
  }

  /** Forget the secrets of an attempt after its close or abort. */
  wipe(run: string, round: number, attempt: number): void {
    this.state.transact('attempt journal', () =>
      this.state.db
        .prepare('UPDATE attempts SET sealed = NULL WHERE run = ? AND round = ? AND attempt = ?')
        .run(run, round, attempt),
    );
  }

  private fromRaw(row: Raw): AttemptRow {
    return {
      run: row.run,
      round: row.round,
      attempt: row.attempt,
      step: row.stage,
      manifest: plain(row.manifest),
      signature: plain(row.signature),
      snapshot: row.sealed && this.state.sealing.open(plain(row.sealed)),
      facts: JSON.parse(row.facts) as AttemptFacts,
    };
  }
}

interface Raw {
  readonly run: string;
  readonly round: number;
  readonly attempt: number;
  readonly stage: Step;
  readonly manifest: Buffer;
  readonly signature: Buffer;
  readonly sealed: Buffer | null;
  readonly facts: string;
}
