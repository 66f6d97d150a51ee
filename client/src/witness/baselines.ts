import { equalBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  attachmentOf,
  type Baseline,
  BaselineBuilder,
  digestText,
  entryHash,
  MediaType,
} from '@regulon/shared/transparency';
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
      const own = await this.derive(proposed.size);
      const isSame = digestText(own.root) === proposed.root && own.digest === proposed.state.digest;
      this.state.transact('baseline', () => {
        this.state.set(key, isSame ? 'signed' : 'refused');
        if (isSame) this.outbox.append('log.baseline', {}, proposed);
      });
      if (!isSame) throw unlike(proposed.size);
      signed += 1;
    }
    return signed;
  }

  /** Read the whole log again; what it gives counts only when it is the one that this site has verified. */
  private async derive(size: number): Promise<Pick<Baseline, 'root'> & { readonly digest: string }> {
    const { size: end, root } = this.log.latest;
    const builder = new BaselineBuilder();
    const tree = CompactTree.empty();
    while (tree.size < end) {
      const batch = await this.read(tree.size, Math.min(tree.size + BATCH, end));
      if (batch.length === 0) throw otherLog(end);
      for (const bytes of batch.slice(0, end - tree.size)) {
        if (builder.size < size) builder.add(bytes);
        tree.append(entryHash(bytes));
      }
    }
    if (!equalBytes(tree.root(), root)) throw otherLog(end);
    const { root: own, bytes } = builder.baseline();
    return { root: own, digest: attachmentOf(bytes, MediaType.json).digest };
  }
}

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
