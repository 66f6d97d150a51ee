import { entryTimeWrong } from '../verify/entry-time.js';

/** A checkpoint with a quorum. */
export interface VouchedCheckpoint {
  readonly size: number;
  /** when it was cosigned at first, seconds since 1970; see `vouchedTimes` */
  readonly first: number;
}

/** What the choice of checkpoints follows from. */
export interface ThinningInput {
  /** when each entry of the log says it was made, seconds since 1970, by index */
  readonly times: Readonly<Record<number, number>>;
  /** sizes of the checkpoints under which masked inputs left */
  readonly gates: ReadonlySet<number>;
  /** indexes of the entries that change the membership */
  readonly changes: readonly number[];
  readonly skewSeconds: number;
}

/** A checkpoint in every quarter of a day stays: what was vouched for is known to a few hours. */
const LONGEST_GAP_SECONDS = 6 * 3600;

/** Checkpoints since the last that stays; only the newest of them may still stay. */
interface Group {
  readonly last: VouchedCheckpoint;
  /** when the first of the group was cosigned */
  readonly since: number;
  /** earliest and latest time among the entries that they cover first */
  readonly low: number;
  readonly high: number;
  /** each of these entries fits its checkpoint */
  readonly fits: boolean;
  /** the newest is the first over a change of the membership: the members before it must have cosigned it */
  readonly overChange: boolean;
}

/**
 * Which cosigned checkpoints a bundle carries, so that their number follows from the age of a log and its rounds, not from
 * how often it was cut: the first, the last, each that opened a gate or is the first over a change of the membership, and of others one every six hours. One is left out
 * only when its entries fit the next that stays as they fitted their own: row L4 says of every entry what it said before.
 */
export class Thinning {
  private covered = 0;
  private group: Group | undefined;

  constructor(private readonly input: ThinningInput) {}

  /** Look at the next checkpoint, by ascending size. @returns the size of an earlier one that stays, if it is now known */
  take(checkpoint: VouchedCheckpoint): number | undefined {
    const isFirst = this.covered === 0;
    const own = this.groupOf(checkpoint);
    this.covered = checkpoint.size;
    const before = this.group;
    const joined = before && this.joined(before, own);
    // what lies before the first checkpoint has no limit: the first is never left out
    this.group = isFirst ? undefined : (joined ?? own);
    if (isFirst) return checkpoint.size;
    return joined ? undefined : before?.last.size;
  }

  /** Size of the newest checkpoint, which stays. @returns undefined when `take` has said so already */
  end(): number | undefined {
    return this.group?.last.size;
  }

  private groupOf(last: VouchedCheckpoint): Group {
    let [low, high] = [Infinity, -Infinity];
    for (let index = this.covered; index < last.size; index++) {
      const time = this.input.times[index] ?? NaN;
      // a time that cannot be read is neither
      if (time < low) low = time;
      if (time > high) high = time;
    }
    const overChange = this.input.changes.some((index) => index >= this.covered && index < last.size);
    return { last, since: last.first, low, high, fits: this.fit({ low, high }, last), overChange };
  }

  /** Both groups under the newest checkpoint; undefined when the last of the older one must stay. */
  private joined(older: Group, newer: Group): Group | undefined {
    const { last } = newer;
    const { fits, overChange } = older;
    const mayGo = fits && !overChange && !this.input.gates.has(older.last.size) && this.fit(older, last);
    if (!mayGo || last.first - older.since > LONGEST_GAP_SECONDS) return undefined;
    const [low, high] = [Math.min(older.low, newer.low), Math.max(older.high, newer.high)];
    return { ...newer, since: older.since, low, high };
  }

  private fit({ low, high }: Pick<Group, 'low' | 'high'>, { first }: VouchedCheckpoint): boolean {
    if (low > high) return true;
    return [low, high].every((time) => entryTimeWrong(time, first, this.input.skewSeconds) === null);
  }
}
