import { RegulonError } from '@regulon/shared/errors';
import {
  cosignatureTimes,
  type FederationKeys,
  type VouchedCheckpoint,
  vouchedTimes,
  withCosignatures,
} from '@regulon/shared/transparency';
import type { CosignedHead } from './log-head.js';
import type { LogRows } from './log-rows.js';

/** What collecting cosignatures needs. */
export interface CosignaturesOptions {
  readonly rows: LogRows;
  readonly keys: FederationKeys;
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
    const { rows, keys } = options;
    const newest = rows.cosignedSizes(size, keys.genesis.quorum).at(-1);
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
    const time = this.verify(witness, stored.note, cosignature);
    this.verifyOrder(witness, size, time);
    rows.keepCosignature(size, witness, cosignature);
    if (size < (this.head?.size ?? 0) || this.missing(size) > 0) return undefined;
    this.head = this.noteOf(size) ?? this.head;
    return this.head;
  }

  /** A checkpoint with all cosignatures it has; undefined when none of this size was signed. */
  private noteOf(size: number, which: 'first' | 'last' = 'last'): CosignedHead | undefined {
    const { rows, keys } = this.options;
    const stored = rows.checkpointOf(size);
    if (stored === undefined) return undefined;
    const cosignatures = rows.cosignaturesOf(size, which);
    const note = withCosignatures(stored.note, keys.witnesses, cosignatures);
    return { size, root: Uint8Array.from(stored.root), note, newest: this.vouched(cosignatures).last };
  }

  /** Every checkpoint up to this size that has a quorum, by the first cosignatures it got, ascending. */
  *upTo(size: number): Generator<VouchedCheckpoint> {
    const { rows, keys } = this.options;
    for (const at of rows.cosignedSizes(size, keys.genesis.quorum))
      yield { size: at, first: this.vouched(rows.cosignaturesOf(at, 'first')).first };
  }

  /** The signed note of a checkpoint that {@link upTo} named, with the first cosignatures it got. @throws E_NOT_FOUND */
  firstNote(size: number): string {
    const whole = this.noteOf(size, 'first');
    if (whole === undefined)
      throw new RegulonError('E_NOT_FOUND', `no checkpoint of size ${size} was signed`);
    return whole.note;
  }

  private vouched(cosignatures: ReadonlyMap<string, Uint8Array>): ReturnType<typeof vouchedTimes> {
    return vouchedTimes([...cosignatures.values()].map(timeOf), this.options.keys.genesis.colluders);
  }

  /** Cosignatures that a checkpoint of this size lacks for its quorum. */
  missing(size: number): number {
    const { rows, keys } = this.options;
    return Math.max(0, keys.genesis.quorum - rows.cosignaturesOf(size).size);
  }

  /** @returns time of the cosignature, seconds since 1970 */
  private verify(witness: string, note: string, cosignature: Uint8Array): number {
    const { keys, now } = this.options;
    const own = keys.witnesses.filter(({ name }) => name === witness);
    const key = own[0]?.key;
    if (key === undefined) throw new RegulonError('E_VERIFY', `${witness} is no witness of this log`);
    const [time = 0] = cosignatureTimes(withCosignatures(note, own, new Map([[witness, cosignature]])), key);
    const ahead = time - now().getTime() / 1000;
    if (ahead > keys.genesis.skewSeconds)
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
