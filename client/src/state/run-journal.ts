import { fromHex, hex, randomBytes } from '@regulon/shared/crypto';
import type { SiteState } from './site-state.js';

/** Where a run stands at this site. */
export type RunState = 'live' | 'refused' | 'finished' | 'failed';

export interface RunRow {
  readonly run: string;
  readonly state: RunState;
  /** contract bytes as the coordinator sent them and this site accepted them */
  readonly contract: Uint8Array;
  /** 32 bytes; keys rounding, shuffling and dropout of this run at this site */
  readonly roundingSecret: Uint8Array;
}

/** What is remembered of a closed round, enough to replay the program of the run. */
export interface OutcomeRow {
  readonly round: number;
  readonly attempt: number;
  readonly survivors: readonly number[];
  /** sums of the extras by name */
  readonly extras: Readonly<Record<string, number>>;
  /** decoded sums of a statistics or evaluation round */
  readonly sums?: Float64Array;
  readonly modelHash?: Uint8Array;
  /** T of the close */
  readonly transcript: Uint8Array;
  readonly aggregateRoot: Uint8Array;
  /** of the sums of the groups that the model was derived from, where the plan compares them; else none */
  readonly groupRoots?: readonly Uint8Array[];
  /** energies of the tiles of the sum, where the plan tests them */
  readonly tiles?: readonly number[];
}

/** What this site computed for a round, once for all attempts. */
export interface LocalFacts {
  /** file with the plain contribution, relative to the run's folder; absent for a silent role */
  readonly file?: string;
  /** values of the extras by name, and the weight w̃ */
  readonly extras: Readonly<Record<string, number>>;
  readonly weight: number;
  /** L2 norm of the weighted update before clipping */
  readonly norm?: number;
  /** SHA-256 of an update that carries its own noise, hexadecimal */
  readonly release?: string;
}

/** Runs, their closed rounds and local results, in the database. */
export class RunJournal {
  constructor(private readonly state: SiteState) {}

  /** Begin a run, or find it again with the secret it began with. @param secret injected by tests only */
  begin(run: string, contract: Uint8Array, secret: Uint8Array = randomBytes(32)): RunRow {
    this.state.transact('run journal', () =>
      this.state.db
        .prepare('INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?)')
        .run(run, 'live', contract, this.state.sealing.seal(secret)),
    );
    const row = this.find(run);
    if (!row) throw new Error('a row vanished');
    return row;
  }

  find(run: string): RunRow | undefined {
    const row = this.state.db.prepare('SELECT * FROM runs WHERE run = ?').get(run) as
      { run: string; state: RunState; contract: Uint8Array; rounding_secret: Uint8Array } | undefined;
    if (!row) return undefined;
    return {
      run,
      state: row.state,
      contract: plain(row.contract),
      roundingSecret: this.state.sealing.open(plain(row.rounding_secret)),
    };
  }

  /** End a run at this site: its round secrets and its rounding secret are forgotten. */
  end(run: string, state: Exclude<RunState, 'live'>): void {
    const { db, sealing } = this.state;
    this.state.transact('run journal', () => {
      const secret = sealing.seal(new Uint8Array(32));
      db.prepare('UPDATE runs SET state = ?, rounding_secret = ? WHERE run = ?').run(state, secret, run);
      db.prepare('UPDATE attempts SET sealed = NULL WHERE run = ?').run(run);
      db.prepare('UPDATE outcomes SET sums = NULL WHERE run = ?').run(run);
      db.prepare('DELETE FROM locals WHERE run = ?').run(run);
    });
  }

  live(): string[] {
    const rows = this.state.db.prepare("SELECT run FROM runs WHERE state = 'live'").all() as {
      run: string;
    }[];
    return rows.map((r) => r.run);
  }

  saveOutcome(run: string, o: OutcomeRow): void {
    const sums = o.sums && Buffer.from(o.sums.buffer, o.sums.byteOffset, o.sums.byteLength);
    const tiles = o.tiles && Buffer.from(Float64Array.from(o.tiles).buffer);
    this.state.transact('round outcome', () => {
      this.state.db
        .prepare('INSERT OR IGNORE INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
        .run(
          run,
          o.round,
          o.attempt,
          JSON.stringify(o.survivors),
          JSON.stringify(o.extras),
          sums ?? null,
          o.modelHash ?? null,
          o.transcript,
          o.aggregateRoot,
          o.groupRoots ? JSON.stringify(o.groupRoots.map(hex)) : null,
          tiles ?? null,
        );
      this.state.db
        .prepare('UPDATE attempts SET sealed = NULL WHERE run = ? AND round = ?')
        .run(run, o.round);
    });
  }

  outcomes(run: string): OutcomeRow[] {
    type Row = {
      round: number;
      attempt: number;
      survivors: string;
      extras: string;
      sums: Buffer | null;
      model_hash: Buffer | null;
      transcript: Buffer;
      aggregate_root: Buffer;
      group_roots: string | null;
      tiles: Buffer | null;
    };
    const rows = this.state.db
      .prepare('SELECT * FROM outcomes WHERE run = ? ORDER BY round')
      .all(run) as Row[];
    return rows.map((row) => ({
      round: row.round,
      attempt: row.attempt,
      survivors: JSON.parse(row.survivors) as number[],
      extras: JSON.parse(row.extras) as Record<string, number>,
      ...(row.sums ? { sums: new Float64Array(plain(row.sums).buffer) } : {}),
      ...(row.model_hash ? { modelHash: plain(row.model_hash) } : {}),
      transcript: plain(row.transcript),
      aggregateRoot: plain(row.aggregate_root),
      ...(row.tiles ? { tiles: [...new Float64Array(plain(row.tiles).buffer)] } : {}),
      ...(row.group_roots === null
        ? {}
        : { groupRoots: (JSON.parse(row.group_roots) as string[]).map((root) => fromHex(root, 32)) }),
    }));
  }

  saveLocal(run: string, round: number, facts: LocalFacts): void {
    this.state.transactSoon('local result', () =>
      this.state.db
        .prepare('INSERT OR REPLACE INTO locals VALUES (?, ?, ?)')
        .run(run, round, JSON.stringify(facts)),
    );
  }

  local(run: string, round: number): LocalFacts | undefined {
    const row = this.state.db
      .prepare('SELECT facts FROM locals WHERE run = ? AND round = ?')
      .get(run, round) as { facts: string } | undefined;
    return row && (JSON.parse(row.facts) as LocalFacts);
  }
}

/** A copy with its own buffer: rows of the driver share larger ones. */
export function plain(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}
