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
}

/** Rule 3 of the protocol: one answer a round, and one a (model, plan, purpose, step). */
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
    return (this.state.db.prepare('SELECT * FROM answered WHERE relaxed = 0').all() as Raw[]).map(fromRaw);
  }

  /**
   * Write the answer. MUST run in the transaction that makes the step durable.
   *
   * @param exact true when a second arm may repeat the tuple whatever its contributors (`leaveSiteOut: exact`)
   * @throws E_STATE when this round was answered differently, or the tuple in another round
   */
  insert(row: AnsweredRow, exact: boolean): void {
    const known = this.find(row.run, row.round);
    if (known) {
      if (Buffer.compare(known.h3, row.h3) === 0 && known.attempt === row.attempt) return;
      throw new RegulonError('E_STATE', `round ${row.round} was answered already, with another survivor set`);
    }
    const twins = this.state.db
      .prepare(
        'SELECT * FROM answered WHERE model_hash = ? AND plan_hash = ? AND purpose = ? AND step_id = ?',
      )
      .all(row.modelHash, row.planHash, row.purpose, row.stepId) as Raw[];
    for (const twin of twins.map(fromRaw)) {
      if (row.relaxed && twin.relaxed && twin.run !== row.run) continue;
      const otherArm = twin.run === row.run && twin.arm !== row.arm;
      const sameCohort = JSON.stringify(twin.cohort) === JSON.stringify(row.cohort);
      if (otherArm && (sameCohort || exact)) continue;
      throw new RegulonError(
        'E_STATE',
        `the sum of round ${row.round} was released already, in round ${twin.round}`,
      );
    }
    this.write(row);
  }

  private write(row: AnsweredRow): void {
    this.state.db
      .prepare('INSERT INTO answered VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
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
      );
  }
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
  };
}
