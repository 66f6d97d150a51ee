import { fromHex, hex } from '@regulon/shared/crypto';
import { type BaselineState, baselineSchema } from '@regulon/shared/transparency';
import { z } from 'zod';
import type { SiteState } from '../state/index.js';
import { CompactTree } from './compact-tree.js';
import type { PrunedStart } from './pruned-start.js';

/** Where later baselines are derived from. */
export interface KnownBaseline {
  readonly state: BaselineState;
  /** over its entries */
  readonly tree: CompactTree;
}

/** Keys of small values of the state database. */
const START = 'baseline-start';
const BEGUN = 'baseline-begun';
const ENDED = 'baseline-ended';
const startSchema = z.strictObject({ state: baselineSchema, edge: z.string() });
const endedSchema = z.array(z.string());

/** The last baseline that this site signed or began with, kept in its database. */
export class BaselineStart {
  constructor(private readonly state: SiteState) {}

  /** Undefined before the first. */
  get known(): KnownBaseline | undefined {
    const kept = this.state.get(START);
    if (kept === undefined) return undefined;
    const { state, edge } = startSchema.parse(JSON.parse(kept));
    return { state, tree: CompactTree.restore(state.size, fromHex(edge)) };
  }

  /** Entries below this index this site never read: it says nothing of baselines up to there. */
  get begun(): number {
    return Number(this.state.get(BEGUN) ?? 0);
  }

  /** True when a run had ended among entries that this site never read. */
  endedUnseen(run: string): boolean {
    return endedSchema.parse(JSON.parse(this.state.get(ENDED) ?? '[]')).includes(run);
  }

  /** Go on from here. MUST run in the transaction that follows from it. */
  keep({ state, tree }: KnownBaseline): void {
    this.state.set(START, JSON.stringify({ state, edge: hex(tree.edge) }));
  }

  /** A quorum of others signed what went: this site takes it as its beginning, and signs it not. MUST run in a transaction. */
  begin({ state, tree }: Pick<PrunedStart, 'state' | 'tree'>): void {
    if ((this.known?.state.size ?? 0) < state.size) this.keep({ state, tree });
    this.state.set(BEGUN, String(state.size));
    this.state.set(ENDED, JSON.stringify(state.ended));
  }
}
