import { z } from 'zod';
import { canonicalJsonBytes } from '../../crypto/index.js';
import { RegulonError } from '../../errors/index.js';
import {
  count,
  decimal,
  digest,
  digestBytes,
  digestText,
  federationId,
  name,
  runName,
} from '../entries/fields.js';
import { attachedJson } from '../entries/attachments.js';
import { entryHash, parseEntry } from '../entries/parse.js';
import type { LogEntry } from '../entries/schema.js';
import { CHAIN_START, nextChain } from '../merkle/chain.js';
import { LogTree } from '../merkle/tree.js';

/** How kinds begin whose entries a baseline repeats: members, keys and roles, policies, data, plans and approvals. */
const REPEATED = ['federation.', 'member.', 'key.', 'role.', 'policy.', 'dataset.', 'plan.'];

/** Whether a baseline repeats entries of this kind. */
export function isRepeated(kind: string): boolean {
  return REPEATED.some((beginning) => kind.startsWith(beginning));
}

/** What somebody needs of the first entries of a log to judge the later ones; attached to `log.baseline` as JCS. */
export const baselineSchema = z.strictObject({
  schema: z.literal('regulon.baseline/1'),
  fed: federationId,
  /** number of these entries */
  size: count,
  /** linear chain after the last of them */
  chain: digest,
  /** entries whose words still count, as they stand in the log */
  repeated: z.array(z.strictObject({ index: count, entry: z.base64() })),
  /** last entry of each actor, by type and id, with the digest of the configuration that it stated last */
  heads: z.array(
    z.strictObject({
      type: z.string(),
      id: z.string(),
      seq: count,
      index: count,
      configuration: digest.nullable(),
    }),
  ),
  /** last charge of each dataset, by site and name, with the policy that it was made under */
  ledgers: z.array(
    z.strictObject({ site: name, dataset: name, ledgerSeq: count, after: decimal, policy: digest }),
  ),
  /** runs that have ended, by name */
  ended: z.array(runName),
});
/** Parsed form of what `baselineSchema` describes. */
export type BaselineState = z.infer<typeof baselineSchema>;

/** The state in the bytes of an attachment; undefined when they are no canonical JSON of this form. */
export function readBaseline(bytes: Uint8Array | undefined): BaselineState | undefined {
  return baselineSchema.safeParse(attachedJson(bytes)).data;
}

/** A baseline over the first entries of a log. */
export interface Baseline {
  readonly size: number;
  /** root of these entries, 32 bytes */
  readonly root: Uint8Array;
  readonly state: BaselineState;
  /** JCS of the state */
  readonly bytes: Uint8Array;
}

const byKey = <T>(values: ReadonlyMap<string, T>): T[] =>
  [...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);

/** A tree that grows by leaf hashes and knows its root. */
export interface GrowingTree {
  readonly size: number;
  append: (leafHash: Uint8Array) => void;
  root: () => Uint8Array;
}

/** Derives the baseline of a log from its entries, one after the other: everybody who has them gets the same bytes. */
export class BaselineBuilder {
  private chain: Uint8Array = CHAIN_START;
  private fed = '';
  private latest = 0;
  private readonly repeated: BaselineState['repeated'] = [];
  private readonly heads = new Map<string, BaselineState['heads'][number]>();
  private readonly ledgers = new Map<string, BaselineState['ledgers'][number]>();
  private readonly live = new Set<string>();
  private readonly finished = new Set<string>();

  /** @param tree over no entry, or over those of the baseline that the builder goes on from */
  constructor(private readonly tree: GrowingTree = new LogTree()) {}

  /**
   * Go on from an earlier baseline of the same log, as if its entries had been read.
   *
   * @param hashes of these entries, in order
   */
  static after(state: BaselineState, hashes: Iterable<Uint8Array>): BaselineBuilder {
    const tree = new LogTree();
    let chain = CHAIN_START;
    for (const hash of hashes) {
      tree.append(hash);
      chain = nextChain(chain, hash);
    }
    return BaselineBuilder.over(tree, { ...state, chain: digestText(chain) });
  }

  /** Go on from an earlier baseline whose chain is known to be right. @param tree over its entries */
  static over(tree: GrowingTree, state: BaselineState): BaselineBuilder {
    const builder = new BaselineBuilder(tree);
    builder.chain = digestBytes(state.chain);
    builder.fed = state.fed;
    builder.repeated.push(...state.repeated);
    for (const head of state.heads) builder.heads.set(`${head.type} ${head.id}`, head);
    for (const total of state.ledgers) builder.ledgers.set(`${total.site} ${total.dataset}`, total);
    state.ended.forEach((run) => builder.finished.add(run));
    return builder;
  }

  /** Entries so far. */
  get size(): number {
    return this.tree.size;
  }

  /** The latest time that an entry states which was added here, ms since 1970; 0 before the first. */
  get youngest(): number {
    return this.latest;
  }

  /** @param bytes the next entry @throws E_LOG_ENTRY when it cannot be read */
  add(bytes: Uint8Array): void {
    const entry = parseEntry(bytes);
    const index = this.tree.size;
    const hash = entryHash(bytes);
    this.tree.append(hash);
    this.chain = nextChain(this.chain, hash);
    this.fed ||= entry.fed;
    this.latest = Math.max(this.latest, Date.parse(entry.at));
    if (isRepeated(entry.kind)) this.repeated.push({ index, entry: Buffer.from(bytes).toString('base64') });
    this.noteHead(entry, index);
    this.noteRun(entry);
    if (entry.kind !== 'round.contribution' || entry.body.charge === null) return;
    const { dataset, charge, policy } = entry.body;
    const { ledgerSeq, after } = charge;
    const site = entry.actor.id;
    this.ledgers.set(`${site} ${dataset}`, { site, dataset, ledgerSeq, after, policy });
  }

  /** @throws E_STATE while a run is under way: what is said of it later needs its beginning */
  baseline(): Baseline {
    const [run] = this.live;
    if (run !== undefined)
      throw new RegulonError('E_STATE', `${run} is under way after ${this.size} entries`, {
        hint: 'choose a number of entries after the end of the run',
      });
    const state: BaselineState = {
      schema: 'regulon.baseline/1',
      ...{ fed: this.fed, size: this.size, chain: digestText(this.chain), repeated: this.repeated },
      ...{ heads: byKey(this.heads), ledgers: byKey(this.ledgers), ended: [...this.finished].sort() },
    };
    return { size: this.size, root: this.tree.root(), state, bytes: canonicalJsonBytes(state) };
  }

  private noteHead(entry: LogEntry, index: number): void {
    const { type, id } = entry.actor;
    const key = `${type} ${id}`;
    let configuration = this.heads.get(key)?.configuration ?? null;
    if (entry.kind === 'config.change') configuration = entry.body.after;
    if (entry.kind === 'config.start') configuration = entry.body.configuration ?? configuration;
    this.heads.set(key, { type, id, seq: entry.seq, index, configuration });
  }

  private noteRun({ kind, run }: LogEntry): void {
    if (run === undefined) return;
    if (kind === 'run.finish') {
      this.finished.add(run);
      this.live.delete(run);
    } else if (!this.finished.has(run)) this.live.add(run);
  }
}
