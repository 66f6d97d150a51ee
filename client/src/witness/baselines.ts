import { equalBytes, fromHex, hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  attachmentOf,
  type Baseline,
  BaselineBuilder,
  baselineSchema,
  type BaselineState,
  digestText,
  entryHash,
  MediaType,
} from '@regulon/shared/transparency';
import { z } from 'zod';
import type { Outbox, SiteState } from '../state/index.js';
import { CompactTree } from './compact-tree.js';
import type { ReadEntries } from './log-advance.js';
import type { LogFollower } from './log-follower.js';

/** Entries fetched at once. */
const BATCH = 256;

/** Baselines that the coordinator proposes: this site derives each from the log that it has verified, and signs what it finds. */
export class Baselines {
  constructor(
    private readonly state: SiteState,
    private readonly outbox: Outbox,
    private readonly log: Pick<LogFollower, 'latest' | 'proposedBaselines'>,
    private readonly read: ReadEntries,
  ) {}

  /**
   * Look at the proposals of the verified log that were not judged yet; each is judged once.
   *
   * @returns how many were signed
   * @throws E_VERIFY for one that is not what the log gives, or when the coordinator shows another log than the verified one
   */
  async sign(): Promise<number> {
    let signed = 0;
    for (const proposed of this.log.proposedBaselines()) {
      const key = `baseline:${proposed.state.digest}:${proposed.size}:${proposed.root}`;
      if (this.state.get(key) !== undefined) continue;
      const { baseline, edge } = await this.derive(proposed.size);
      const isSame =
        digestText(baseline.root) === proposed.root &&
        attachmentOf(baseline.bytes, MediaType.json).digest === proposed.state.digest;
      this.state.transact('baseline', () => {
        this.state.set(key, isSame ? 'signed' : 'refused');
        if (isSame) this.state.set(START, JSON.stringify({ state: baseline.state, edge: hex(edge) }));
        if (isSame) this.outbox.append('log.baseline', {}, proposed);
      });
      if (!isSame) throw unlike(proposed.size);
      signed += 1;
    }
    return signed;
  }

  /**
   * Read the log again, from the last baseline that this site signed: what lies before may have been pruned. What it gives
   * counts only when it is the log that this site has verified.
   */
  private async derive(size: number): Promise<Derived> {
    const { size: end, root } = this.log.latest;
    const start = this.start(size);
    const tree = start?.tree.copy() ?? CompactTree.empty();
    const own = start?.tree ?? CompactTree.empty();
    const builder = start ? BaselineBuilder.over(own, start.state) : new BaselineBuilder(own);
    while (tree.size < end) {
      const batch = await this.read(tree.size, Math.min(tree.size + BATCH, end));
      if (batch.length === 0) throw otherLog(end);
      for (const bytes of batch.slice(0, end - tree.size)) {
        if (builder.size < size) builder.add(bytes);
        tree.append(entryHash(bytes));
      }
    }
    if (!equalBytes(tree.root(), root)) throw otherLog(end);
    return { baseline: builder.baseline(), edge: own.edge };
  }

  /** The last baseline that this site signed, unless it is a larger one. */
  private start(size: number): { readonly state: BaselineState; readonly tree: CompactTree } | undefined {
    const kept = this.state.get(START);
    if (kept === undefined) return undefined;
    const { state, edge } = startSchema.parse(JSON.parse(kept));
    return state.size <= size ? { state, tree: CompactTree.restore(state.size, fromHex(edge)) } : undefined;
  }
}

/** A baseline, and the edge of the tree over its entries. */
interface Derived {
  readonly baseline: Baseline;
  readonly edge: Uint8Array;
}

/** Where the last baseline that this site signed is kept. */
const START = 'baseline-start';
const startSchema = z.strictObject({ state: baselineSchema, edge: z.string() });

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
