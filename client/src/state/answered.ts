import { RegulonError } from '@regulon/shared/errors';
import { plain } from './run-journal.js';
import type { SiteState } from './site-state.js';

/** What a site reveals once and never again in another form. */
export interface AnsweredRow {
  readonly run: string;
  readonly round: number;
  readonly attempt: number;
  readonly purpose: number;
  readonly stepId: string;
  readonly arm: number;
  readonly iteration: number;
  /** hexadecimal */
  readonly modelHash: string;
  readonly planHash: string;
  readonly h3: Uint8Array;
  /** U3 ∩ contributors, sorted */
  readonly cohort: readonly number[];
  /** true when the run is public or the release carries noise: outside the cohort rule */
  readonly relaxed: boolean;
  /** the encoded answer, re-sent on repetition */
  readonly answer: Uint8Array;
  /** true for the one answer more that the administrators allowed in a burnt round */
  readonly reopened: boolean;
}

/** The sum that a round releases, by what tells it from another one. */
export type ReleasedSum = Pick<
  AnsweredRow,
  'run' | 'round' | 'arm' | 'purpose' | 'stepId' | 'modelHash' | 'planHash' | 'relaxed'
>;

/**
 * Rule 3 of the protocol: one answer a round, and one a (model, plan, purpose, step). The administrators may lift it for
 * a burnt round, once; the answer before is kept, for the cohort rule and for every other round.
 */
export class AnsweredTable {
  constructor(private readonly state: SiteState) {}

  find(run: string, round: number): AnsweredRow | undefined {
    const row = this.state.db
      .prepare('SELECT * FROM answered WHERE run = ? AND round = ?')
      .get(run, round) as Raw | undefined;
    return row && fromRaw(row);
  }

  /** The last round of a run that this site answered. */
  lastRound(run: string): number | undefined {
    const row = this.state.db.prepare('SELECT max(round) AS last FROM answered WHERE run = ?').get(run) as {
      last: number | null;
    };
    return row.last ?? undefined;
  }

  /** Every answer that the cohort rule compares with: of all runs. */
  exact(): AnsweredRow[] {
    const sql = 'SELECT * FROM answered WHERE relaxed = 0 UNION ALL SELECT * FROM burnt WHERE relaxed = 0';
    return (this.state.db.prepare(sql).all() as Raw[]).map(fromRaw);
  }

  /**
   * Refuse early what `insert` would refuse in the end, before anything is trained for it. Another arm may repeat a sum
   * of the same sites; who they are is known only at the end.
   *
   * @param reopened the administrators let this round be answered once more
   * @throws E_REPLAY when the sum was released already, in another round
   */
  verifyFresh(sum: ReleasedSum, reopened = false): void {
    const twin = this.twinsOf(sum).find(
      (t) => (t.run !== sum.run || t.arm === sum.arm) && !(reopened && isSameRound(t, sum)),
    );
    if (twin) throw replayed(sum, twin);
  }

  /**
   * Write the answer. MUST run in the transaction that makes the step durable.
   *
   * @param exact true when a second arm may repeat the tuple whatever its contributors (`leaveSiteOut: exact`)
   * @throws E_STATE when this round was answered differently, and is not reopened or was reopened before
   * @throws E_REPLAY when the sum was released already, in another round
   */
  insert(row: AnsweredRow, exact: boolean): void {
    const known = this.find(row.run, row.round);
    if (known) {
      if (Buffer.compare(known.h3, row.h3) === 0 && known.attempt === row.attempt) return;
      if (!row.reopened || known.reopened || row.attempt <= known.attempt)
        throw new RegulonError(
          'E_STATE',
          `round ${row.round} was answered already, with another survivor set`,
        );
    }
    for (const twin of this.twinsOf(row).filter((t) => !isSameRound(t, row))) {
      const otherArm = twin.run === row.run && twin.arm !== row.arm;
      const sameCohort = JSON.stringify(twin.cohort) === JSON.stringify(row.cohort);
      if (!otherArm || !(sameCohort || exact)) throw replayed(row, twin);
    }
    if (known) this.setAside(known);
    this.write(row);
  }

  /** What was answered in a burnt round stays beside the answer that follows it. */
  private setAside({ run, round }: AnsweredRow): void {
    const { db } = this.state;
    db.prepare('INSERT INTO burnt SELECT * FROM answered WHERE run = ? AND round = ?').run(run, round);
    db.prepare('DELETE FROM answered WHERE run = ? AND round = ?').run(run, round);
  }

  /** Answers for the same model, plan, purpose and step; those of other runs do not count between public runs. */
  private twinsOf(sum: ReleasedSum): AnsweredRow[] {
    const where = 'WHERE model_hash = ? AND plan_hash = ? AND purpose = ? AND step_id = ?';
    const tuple = [sum.modelHash, sum.planHash, sum.purpose, sum.stepId];
    const rows = this.state.db
      .prepare(`SELECT * FROM answered ${where} UNION ALL SELECT * FROM burnt ${where}`)
      .all(...tuple, ...tuple) as Raw[];
    return rows.map(fromRaw).filter((t) => !(sum.relaxed && t.relaxed && t.run !== sum.run));
  }

  private write(row: AnsweredRow): void {
    this.state.db
      .prepare('INSERT INTO answered VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        row.run,
        row.round,
        row.attempt,
        row.purpose,
        row.stepId,
        row.arm,
        row.iteration,
        row.modelHash,
        row.planHash,
        row.h3,
        JSON.stringify(row.cohort),
        row.relaxed ? 1 : 0,
        row.answer,
        row.reopened ? 1 : 0,
      );
  }
}

function isSameRound(a: ReleasedSum, b: ReleasedSum): boolean {
  return a.run === b.run && a.round === b.round;
}

function replayed(sum: ReleasedSum, twin: AnsweredRow): RegulonError {
  return new RegulonError(
    'E_REPLAY',
    `the sum of round ${sum.round} was released already, in round ${twin.round}`,
  );
}

interface Raw {
  readonly run: string;
  readonly round: number;
  readonly attempt: number;
  readonly purpose: number;
  readonly step_id: string;
  readonly arm: number;
  readonly iteration: number;
  readonly model_hash: string;
  readonly plan_hash: string;
  readonly h3: Buffer;
  readonly cohort: string;
  readonly relaxed: number;
  readonly answer: Buffer;
  readonly reopened: number;
}

function fromRaw(row: Raw): AnsweredRow {
  return {
    run: row.run,
    round: row.round,
    attempt: row.attempt,
    purpose: row.purpose,
    stepId: row.step_id,
    arm: row.arm,
    iteration: row.iteration,
    modelHash: row.model_hash,
    planHash: row.plan_hash,
    h3: plain(row.h3),
    cohort: JSON.parse(row.cohort) as number[],
    relaxed: row.relaxed === 1,
    answer: plain(row.answer),
    reopened: row.reopened === 1,
  };
}
