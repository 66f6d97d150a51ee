import { equalBytes, publicKeyOf } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  type Checkpoint,
  cosign,
  cosignersOf,
  type FederationKeys,
  parseNote,
  vouchedTimes,
} from '@regulon/shared/transparency';
import type { SiteState } from '../state/index.js';
import { LogKeys } from './log-keys.js';

/** A cosignature on its way to the coordinator. */
export interface Cosignature {
  /** entries of the checkpoint */
  readonly size: number;
  /** u64 time ‖ Ed25519, 72 bytes */
  readonly cosignature: Uint8Array;
}

/** A checkpoint that a quorum of the federation cosigned, this site's history agreeing. */
export interface QuorumHead extends Checkpoint {
  /** when an honest member cosigned it at last, seconds since 1970; see `vouchedTimes` */
  readonly newest: number;
}

/** A cosignature older than this is made anew when its checkpoint is shown again, in seconds. */
const REFRESH_SECONDS = 3600;

interface Row {
  readonly size: number;
  readonly root: Buffer;
  readonly time: number;
  readonly note: string | null;
}

/**
 * This site as a witness: signs the checkpoints it has followed, each only after its state is durable, and remembers
 * which of them a quorum signed.
 *
 * @see C2SP tlog-witness; docs/protocol.md, Log
 */
export class Cosigner {
  private readonly logKeys: LogKeys;
  private readonly keyName: string;
  private head: QuorumHead | null;

  /** @throws E_CONFIG when the seed is not that of the cosigner that entry 0 names for this site */
  constructor(
    private readonly state: SiteState,
    keys: FederationKeys,
    private readonly site: string,
    private readonly seed: Uint8Array,
    private readonly now: () => number = Date.now,
    /** keys and terms of each roster that this site pinned, oldest first */
    versions: readonly FederationKeys[] = [keys],
  ) {
    this.logKeys = new LogKeys(state, versions);
    const own = keys.witnesses.find(({ name }) => name === site);
    if (own === undefined || !equalBytes(own.key.publicKey, publicKeyOf(seed)))
      throw new RegulonError(
        'E_CONFIG',
        `entry 0 names no cosigner for ${site}, or another key than this site has`,
      );
    this.keyName = own.key.name;
    const row = state.db
      .prepare('SELECT * FROM cosigned WHERE note IS NOT NULL ORDER BY size DESC LIMIT 1')
      .get() as Row | undefined;
    const { witnesses } = row ? this.logKeys.at(row.size) : keys;
    this.head = row?.note ? this.quorumHead(row, [...cosignersOf(row.note, witnesses).values()]) : null;
  }

  /** The newest checkpoint with a quorum; null before the first. */
  get quorum(): QuorumHead | null {
    return this.head;
  }

  /**
   * Keep that this checkpoint will be signed. MUST run in the journalled transaction that moves the witness, and be durable
   * before `sign`: a database restored from a copy of before would sign another log. Times never go back, whatever the clock does.
   */
  stage({ size, root }: Checkpoint): void {
    const seconds = Math.floor(this.now() / 1000);
    this.state.db
      .prepare(
        `INSERT INTO cosigned (size, root, time)
         VALUES (?, ?, max(?, (SELECT coalesce(max(time), 0) FROM cosigned)))
         ON CONFLICT (size) DO UPDATE SET time = max(time, excluded.time) WHERE root = excluded.root`,
      )
      .run(size, root, seconds);
  }

  /** Cosign a checkpoint that this site stands at; durable before it returns. @param note of that checkpoint */
  sign(note: string, checkpoint: Checkpoint): Cosignature {
    const { size } = checkpoint;
    const last = this.row(size)?.time ?? 0;
    if (1000 * (last + REFRESH_SECONDS) < this.now())
      this.state.journal('cosigned', () => this.stage(checkpoint));
    const time = this.row(size)?.time ?? 0;
    const { signature } = cosign(parseNote(note).body, { keyName: this.keyName, seed: this.seed }, time);
    return { size, cosignature: signature };
  }

  /**
   * The coordinator took no cosignature of this size because of its time. Times as late bind no more, those of other sizes
   * that never reached the coordinator included: a clock that was once far ahead would keep this site from ever cosigning
   * again.
   */
  takeBack(size: number): void {
    this.state.journal('cosigned', () =>
      this.state.db
        .prepare('UPDATE cosigned SET time = 0 WHERE time >= (SELECT time FROM cosigned WHERE size = ?)')
        .run(size),
    );
  }

  /**
   * Look at the cosignatures of a checkpoint that the log key signed. It counts when this site has followed the log to
   * that very size.
   *
   * @returns whether this site's cosignature is among them
   * @throws E_FORK when this site has seen another root of that size; E_VERIFY when a line of a member does not verify
   */
  observe(note: string, { size, root }: Checkpoint): boolean {
    const row = this.row(size);
    if (row === undefined) return false;
    if (!equalBytes(row.root, root))
      throw new RegulonError('E_FORK', `the coordinator signed two checkpoints of size ${size}`);
    const times = cosignersOf(note, this.logKeys.at(size).witnesses);
    if (this.logKeys.isQuorum(size, this.head?.size ?? 0, times))
      this.keepQuorum(note, row, [...times.values()]);
    return times.has(this.site);
  }

  private keepQuorum(note: string, row: Row, times: readonly number[]): void {
    const head = this.quorumHead(row, times);
    const known = this.head ?? { size: -1, newest: 0 };
    if (head.size < known.size || (head.size === known.size && head.newest <= known.newest)) return;
    // only the last note is kept: with hundreds of members each has tens of kilobytes
    this.state.transactSoon('cosigned', () => {
      this.state.db.prepare('UPDATE cosigned SET note = NULL WHERE size = ?').run(known.size);
      this.state.db.prepare('UPDATE cosigned SET note = ? WHERE size = ?').run(note, row.size);
    });
    this.head = head;
  }

  private row(size: number): Row | undefined {
    return this.state.db.prepare('SELECT * FROM cosigned WHERE size = ?').get(size) as Row | undefined;
  }

  private quorumHead({ size, root }: Row, times: readonly number[]): QuorumHead {
    const { origin, colluders } = this.logKeys.at(size).genesis;
    return { origin, size, root: Uint8Array.from(root), newest: vouchedTimes(times, colluders).last };
  }
}
