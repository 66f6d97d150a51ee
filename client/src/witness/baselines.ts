import { equalBytes } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import {
  attachmentOf,
  type Baseline,
  BaselineBuilder,
  digestText,
  entryHash,
  type FederationKeys,
  longestClass,
  MediaType,
  parseEntry,
} from '@regulon/shared/transparency';
import type { Outbox, SiteState } from '../state/index.js';
import { BaselineStart, type KnownBaseline } from './baseline-start.js';
import { CompactTree } from './compact-tree.js';
import type { LogFollower } from './log-follower.js';
import type { ReadEntries } from './log-source.js';

/** Entries fetched at once. */
const BATCH = 256;
const DAY_MS = 86_400_000;

/** Baselines that the coordinator proposes: this site derives each from the log that it has verified, and signs what it finds. */
export class Baselines {
  private readonly start: BaselineStart;
  /** when proposals are judged that come too early, ms since 1970 */
  private readonly early = new Map<string, number>();

  constructor(
    private readonly state: SiteState,
    private readonly outbox: Outbox,
    private readonly log: Pick<LogFollower, 'latest' | 'proposedBaselines' | 'prunedStart'>,
    private readonly entries: ReadEntries,
    private readonly retention: FederationKeys['genesis']['retention'],
    private readonly now: () => number = Date.now,
  ) {
    this.start = new BaselineStart(state);
  }

  /**
   * Look at the proposals of the verified log that were not judged yet; each is judged once, when the class of entry 0
   * that keeps entries longest has ended for all that a pruning under it would drop. Without a class nothing is pruned.
   *
   * @returns how many were signed
   * @throws E_VERIFY for one that is not what the log gives, or when the coordinator shows another log than the verified one
   * @throws E_POLICY once for one that comes too early; it is judged again when its time has come
   */
  async sign(): Promise<number> {
    let signed = 0;
    for (const proposed of this.log.proposedBaselines()) {
      const key = `baseline:${proposed.state.digest}:${proposed.size}:${proposed.root}`;
      if (this.state.get(key) !== undefined || proposed.size <= this.start.begun) continue;
      if (this.now() < (this.early.get(key) ?? 0)) continue;
      const derived = await this.derive(proposed.size);
      if (derived === 'gone') continue;
      const { baseline, tree } = derived;
      const ends = this.keptUntil(derived.youngest);
      if (this.now() < ends) {
        this.early.set(key, ends);
        throw tooEarly(proposed.size, ends);
      }
      const isSame =
        digestText(baseline.root) === proposed.root &&
        attachmentOf(baseline.bytes, MediaType.json).digest === proposed.state.digest;
      this.state.transact('baseline', () => {
        this.state.set(key, isSame ? 'signed' : 'refused');
        if (isSame) this.start.keep({ state: baseline.state, tree });
        if (isSame) this.outbox.append('log.baseline', {}, proposed);
      });
      if (!isSame) throw unlike(proposed.size);
      signed += 1;
    }
    return signed;
  }

  /** @param youngest when the youngest entry was made that goes, or would be the first to stay @returns ms since 1970 */
  private keptUntil(youngest: number): number {
    const longest = longestClass(this.retention);
    return longest === undefined ? 0 : youngest + DAY_MS * longest.days;
  }

  /** Read the log again, from the last baseline that this site knows; where entries are gone, from the one that took their place. */
  private async derive(size: number): Promise<Derived | 'gone'> {
    const { known } = this.start;
    try {
      return await this.read(size, known !== undefined && known.state.size <= size ? known : undefined);
    } catch (error) {
      if (!isRegulonError(error, 'E_PRUNED')) throw error;
    }
    const begin = await this.log.prunedStart();
    if (begin.state.size < size) return this.read(size, begin);
    this.state.transact('baseline', () => this.start.begin(begin));
    return 'gone';
  }

  /** What the entries give counts only when they are the log that this site has verified. */
  private async read(size: number, from: KnownBaseline | undefined): Promise<Derived> {
    const { size: end, root } = this.log.latest;
    const tree = from?.tree.copy() ?? CompactTree.empty();
    const own = tree.copy();
    let staying: Uint8Array | undefined;
    const builder = from ? BaselineBuilder.over(own, from.state) : new BaselineBuilder(own);
    while (tree.size < end) {
      const batch = await this.entries(tree.size, Math.min(tree.size + BATCH, end));
      if (batch.length === 0) throw otherLog(end);
      for (const bytes of batch.slice(0, end - tree.size)) {
        if (builder.size < size) builder.add(bytes);
        else if (tree.size === size) staying = bytes;
        tree.append(entryHash(bytes));
      }
    }
    if (!equalBytes(tree.root(), root)) throw otherLog(end);
    const next = staying ? Date.parse(parseEntry(staying).at) : 0;
    return { baseline: builder.baseline(), tree: own, youngest: Math.max(builder.youngest, next) };
  }
}

/** A baseline, and the tree over its entries. */
interface Derived {
  readonly baseline: Baseline;
  readonly tree: CompactTree;
  /** the latest time that one of them or the entry behind them states, ms since 1970 */
  readonly youngest: number;
}

const tooEarly = (size: number, ends: number): RegulonError =>
  new RegulonError(
    'E_POLICY',
    `the first ${size} entries are kept until ${new Date(ends).toISOString()}: their baseline was not signed`,
    {
      hint: 'nothing is to do: it is judged again then; ask the operator of the coordinator why it came now',
    },
  );

const unlike = (size: number): RegulonError =>
  new RegulonError(
    'E_VERIFY',
    `the baseline of ${size} entries is not what the log gives: it was not signed`,
    {
      hint: 'ask the coordinator’s operator which entries it is about, and compare exports with `regulon audit compare`',
    },
  );

const otherLog = (size: number): RegulonError =>
  new RegulonError(
    'E_VERIFY',
    `the coordinator shows other entries than the ${size} that this site has verified`,
    {
      retryable: true,
    },
  );
