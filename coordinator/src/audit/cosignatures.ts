import { RegulonError } from '@regulon/shared/errors';
import {
  cosignatureTimes,
  type KeyHistory,
  oldSigners,
  type VouchedCheckpoint,
  vouchedTimes,
  withCosignatures,
} from '@regulon/shared/transparency';
import type { CosignedHead } from './log-head.js';
import type { LogRows } from './log-rows.js';

/** What collecting cosignatures needs. */
export interface CosignaturesOptions {
  readonly rows: LogRows;
  readonly history: KeyHistory;
  readonly now: () => Date;
}

/** Cosignatures that the sites sent, and the newest checkpoint with a quorum of them. */
export class Cosignatures {
  private head: CosignedHead | undefined;

  /** @param size of the newest checkpoint; what lies behind it was lost */
  constructor(
    private readonly options: CosignaturesOptions,
    size: number,
  ) {
    const newest = [...this.wholeSizes(size)].at(-1);
    this.head = newest === undefined ? undefined : this.noteOf(newest);
  }

  /** The newest checkpoint with a quorum, with all cosignatures it has; undefined before the first. */
  get latest(): CosignedHead | undefined {
    return this.head;
  }

  /**
   * Verify and keep a cosignature.
   *
   * @param witness name of the member that sent it
   * @returns the checkpoint when it has a quorum, and no larger one has
   * @throws E_NOT_FOUND when no checkpoint of this size was signed; E_VERIFY when the cosignature does not verify;
   * E_CLOCK when its time is ahead of this clock by more than the skew, or goes back as the log grows: an auditor would
   * refuse the log for it
   */
  accept(witness: string, size: number, cosignature: Uint8Array): CosignedHead | undefined {
    const { rows } = this.options;
    const stored = rows.checkpointOf(size);
    if (stored === undefined)
      throw new RegulonError('E_NOT_FOUND', `no checkpoint of size ${size} was signed`);
    const time = this.verify(witness, { ...stored, size }, cosignature);
    this.verifyOrder(witness, size, time);
    rows.keepCosignature(size, witness, cosignature);
    if (size < (this.head?.size ?? 0) || this.missing(size) > 0) return undefined;
    this.head = this.noteOf(size) ?? this.head;
    return this.head;
  }

  /** A checkpoint with all cosignatures it has; undefined when none of this size was signed. */
  private noteOf(size: number, which: 'first' | 'last' = 'last'): CosignedHead | undefined {
    const { rows, history } = this.options;
    const stored = rows.checkpointOf(size);
    if (stored === undefined) return undefined;
    const cosignatures = rows.cosignaturesOf(size, which);
    const note = withCosignatures(stored.note, history.at(size).witnesses, cosignatures);
    return { size, root: Uint8Array.from(stored.root), note, newest: this.vouched(size, cosignatures).last };
  }

  /** Every checkpoint up to this size that has a quorum, by the first cosignatures it got, ascending. */
  *upTo(size: number): Generator<VouchedCheckpoint> {
    const { rows } = this.options;
    for (const at of this.wholeSizes(size))
      yield { size: at, first: this.vouched(at, rows.cosignaturesOf(at, 'first')).first };
  }

  /** Sizes up to this one that have a quorum, ascending; read as they are asked for. */
  private *wholeSizes(size: number): Generator<number> {
    const { rows, history } = this.options;
    const quorum = Math.min(...history.versions.map(({ genesis }) => genesis.quorum));
    let before = 0;
    for (const at of rows.cosignedSizes(size, quorum)) {
      if (history.changedAt.length > 0 && this.lacking(at, before) > 0) continue;
      before = at;
      yield at;
    }
  }

  /** The signed note of a checkpoint that {@link upTo} named, with the first cosignatures it got. @throws E_NOT_FOUND */
  firstNote(size: number): string {
    const whole = this.noteOf(size, 'first');
    if (whole === undefined)
      throw new RegulonError('E_NOT_FOUND', `no checkpoint of size ${size} was signed`);
    return whole.note;
  }

  private vouched(
    size: number,
    cosignatures: ReadonlyMap<string, Uint8Array>,
  ): ReturnType<typeof vouchedTimes> {
    const { colluders } = this.options.history.at(size).genesis;
    return vouchedTimes([...cosignatures.values()].map(timeOf), colluders);
  }

  /** Cosignatures that a checkpoint of this size lacks for its quorum. */
  missing(size: number): number {
    return this.lacking(size, this.head?.size ?? 0);
  }

  /**
   * Cosignatures that a checkpoint lacks: of the members at its size, and of those before each change that no checkpoint
   * with a quorum covers yet.
   *
   * @param before size of the largest smaller checkpoint that has a quorum
   */
  private lacking(size: number, before: number): number {
    const { rows, history } = this.options;
    const signers = rows.cosignaturesOf(size);
    const lacking = [history.at(size).genesis.quorum - signers.size];
    for (const index of history.changedAt) {
      const old = history.at(index);
      if (before <= index && index < size) lacking.push(old.genesis.quorum - oldSigners(old, signers));
    }
    return Math.max(0, ...lacking);
  }

  /** @returns time of the cosignature, seconds since 1970 */
  private verify(
    witness: string,
    { size, note }: { readonly size: number; readonly note: string },
    cosignature: Uint8Array,
  ): number {
    const { history, now } = this.options;
    const { witnesses, genesis } = history.at(size);
    const own = witnesses.filter(({ name }) => name === witness);
    const key = own[0]?.key;
    if (key === undefined) throw new RegulonError('E_VERIFY', `${witness} is no witness of this log`);
    const [time = 0] = cosignatureTimes(withCosignatures(note, own, new Map([[witness, cosignature]])), key);
    const ahead = time - now().getTime() / 1000;
    if (ahead > genesis.skewSeconds)
      throw new RegulonError(
        'E_CLOCK',
        `the cosignature of ${witness} is ${Math.round(ahead)} s ahead of this clock`,
      );
    return time;
  }

  private verifyOrder(witness: string, at: number, time: number): void {
    for (const { size, first, last } of this.options.rows.cosignedAround(at, witness)) {
      if (size <= at ? timeOf(last) <= time : time <= timeOf(first)) continue;
      throw new RegulonError(
        'E_CLOCK',
        `the cosignature of ${witness} for size ${at} and the one for size ${size} have times in another order`,
      );
    }
  }
}

/** Seconds since 1970 of a stored cosignature. */
function timeOf(cosignature: Uint8Array): number {
  return Number(Buffer.from(cosignature).readBigUInt64BE(0));
}
