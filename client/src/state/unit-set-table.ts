import { enc, hex, sha256, u32 } from '@regulon/shared/crypto';
import type { UnitSets } from '../unit-sets/index.js';
import { plain } from './run-journal.js';
import type { SiteState } from './site-state.js';

/** The units behind the exact sums of each run that is not public, by digests. */
export class UnitSetTable {
  constructor(private readonly state: SiteState) {}

  /** Remember the units of a run that has not begun. */
  save(run: string, { units, folds, heldOut, levels }: UnitSets): void {
    const tokens = new Uint8Array(levels.buffer, levels.byteOffset, levels.byteLength);
    const digest = hex(sha256(enc(units, folds, Uint8Array.from(heldOut), tokens, u32(levels.length))));
    const { db } = this.state;
    this.state.transact('unit sets', () => {
      const facts = [digest, units, folds, JSON.stringify(heldOut), tokens];
      db.prepare('INSERT OR IGNORE INTO unit_sets VALUES (?, ?, ?, ?, ?)').run(...facts);
      db.prepare('INSERT OR REPLACE INTO run_units VALUES (?, ?)').run(run, digest);
    });
  }

  /** The units of a run, or undefined when it has none here. */
  find(run: string): UnitSets | undefined {
    const sql = 'SELECT s.* FROM run_units r JOIN unit_sets s USING (digest) WHERE r.run = ?';
    const row = this.state.db.prepare(sql).get(run) as Raw | undefined;
    return row && fromRaw(row);
  }

  /** Units of other runs in which an exact sum was answered, without those that are the same to the bit. */
  answered(run: string): UnitSets[] {
    const own = 'SELECT digest FROM run_units WHERE run = ?';
    const exact = 'SELECT run FROM answered WHERE relaxed = 0 UNION SELECT run FROM burnt WHERE relaxed = 0';
    const others = `SELECT digest FROM run_units WHERE run IN (${exact})`;
    const sql = `SELECT * FROM unit_sets WHERE digest IN (${others}) AND digest NOT IN (${own})`;
    return (this.state.db.prepare(sql).all(run) as Raw[]).map(fromRaw);
  }
}

interface Raw {
  readonly units: Buffer;
  readonly folds: Buffer;
  readonly held_out: string;
  readonly levels: Buffer;
}

const fromRaw = ({ units, folds, held_out, levels }: Raw): UnitSets => ({
  units: plain(units),
  folds: plain(folds),
  heldOut: JSON.parse(held_out) as number[],
  levels: new Uint32Array(plain(levels).buffer),
});
