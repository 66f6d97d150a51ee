import { present } from '../../errors/index.js';
import type { KeyHistory } from '../entries/key-history.js';
import { vouchedTimes } from '../notes/quorum.js';
import { entryTimeWrong } from './entry-time.js';
import type { Findings } from './findings.js';
import type { IndexedEntry } from './log-entries.js';

/** A size of the log, and when its members cosigned it. */
export interface CosignedSize {
  readonly size: number;
  /** by name of the witness, seconds since 1970 */
  readonly times: ReadonlyMap<string, number>;
}

/** One for each size, ascending: of several checkpoints the first cosignature of each member. */
export function bySize(checkpoints: readonly CosignedSize[]): CosignedSize[] {
  const merged = new Map<number, Map<string, number>>();
  for (const { size, times } of checkpoints) {
    const first = merged.get(size) ?? new Map<string, number>();
    times.forEach((time, name) => first.set(name, Math.min(time, first.get(name) ?? time)));
    merged.set(size, first);
  }
  return [...merged].map(([size, times]) => ({ size, times })).sort((a, b) => a.size - b.size);
}

/** What the times of cosignatures are compared with. */
interface TimesInput {
  readonly history: KeyHistory;
  readonly entries: readonly IndexedEntry[];
  readonly findings: Findings;
}

/** Row L4: the times of each member grow with the log, and those of the entries fit to them. */
export function checkTimes(seen: readonly CosignedSize[], input: TimesInput): void {
  for (const name of new Set(input.history.everybody().map((member) => member.name)))
    checkTimesOf(name, seen, input.findings);
  checkEntryTimes(seen, input);
}

/**
 * What the witnesses saw, for the report: a bundle with fewer checkpoints proves less of when its entries were written, and
 * nothing in the log says how many there were.
 *
 * @param newest the checkpoint of the bundle, with its last cosignatures
 */
export function witnessed(seen: readonly CosignedSize[], newest: CosignedSize, history: KeyHistory): string {
  const sizes = seen.map(({ size }) => size);
  const oldest = present(seen[0], 'the newest checkpoint among the cosigned ones');
  const apart = Math.max(...sizes.map((size, i) => size - (sizes[i - 1] ?? oldest.size)));
  const [from, to] = [spanOf(oldest, history).first, spanOf(newest, history).last];
  const span = `${new Date(1000 * from).toISOString()} to ${new Date(1000 * to).toISOString()}`;
  return `cosigned sizes: ${sizes.length}, from ${oldest.size} to ${newest.size}, at most ${apart} entries apart, of ${span}`;
}

const spanOf = ({ size, times }: CosignedSize, history: KeyHistory): ReturnType<typeof vouchedTimes> =>
  vouchedTimes([...times.values()], history.at(size).genesis.colluders);

function checkTimesOf(witness: string, ordered: readonly CosignedSize[], findings: Findings): void {
  let last = 0;
  for (const { size, times } of ordered) {
    const time = times.get(witness);
    if (time === undefined) continue;
    if (time < last)
      findings.fail('L4', `${witness} cosigned size ${size} before it cosigned a smaller one`, size - 1);
    last = time;
  }
}

/** What an entry says of its time against the first cosignature over it; entries before the first have no such limit. */
function checkEntryTimes(ordered: readonly CosignedSize[], { entries, history, findings }: TimesInput): void {
  const { skewSeconds } = history.last.genesis;
  let at = 0;
  for (const { entry, index } of entries) {
    let covering = ordered[at];
    while (covering !== undefined && covering.size <= index) covering = ordered[++at];
    if (covering === undefined) return;
    const { colluders } = history.at(covering.size).genesis;
    const { first } = vouchedTimes([...covering.times.values()], colluders);
    const time = Date.parse(entry.at) / 1000;
    const wrong = entryTimeWrong(time, first, skewSeconds);
    if (wrong === 'ahead')
      findings.fail(
        'L4',
        `the entry is dated ${Math.round(time - first)} s after its first cosignature`,
        index,
      );
    else if (at > 0 && wrong === 'behind')
      findings.fail('L4', 'the entry is dated more than 24 h before its first cosignature', index);
  }
}
