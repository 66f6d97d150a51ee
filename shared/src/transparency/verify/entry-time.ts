/** An entry is at most this much older than the first checkpoint that covers it. */
const LONGEST_WAIT_SECONDS = 24 * 3600;

/**
 * What an entry says of its time against the first checkpoint over it (row L4).
 *
 * @param time of the entry, seconds since 1970
 * @param first when the checkpoint was cosigned at first, as `vouchedTimes` says
 * @param skewSeconds by which a clock may differ from the coordinator's
 * @returns `ahead`: dated after it; `behind`: dated too long before it
 */
export function entryTimeWrong(time: number, first: number, skewSeconds: number): 'ahead' | 'behind' | null {
  // the clocks of both, the entry's and the witness's, may differ from the coordinator's by so much
  if (time > first + 2 * skewSeconds) return 'ahead';
  return time < first - LONGEST_WAIT_SECONDS ? 'behind' : null;
}
