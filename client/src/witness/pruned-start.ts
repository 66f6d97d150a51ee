import { canonicalJson, equalBytes, fromHex, hex, sha256 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  type BaselineState,
  CHAIN_START,
  type ChangeKind,
  type Checkpoint,
  digestText,
  entryHash,
  isChange,
  isRepeated,
  type LogEntry,
  nextChain,
  parseEntry,
  readBaseline,
  TILE_WIDTH,
  verifyEntry,
} from '@regulon/shared/transparency';
import { CompactTree } from './compact-tree.js';
import { type FollowLimits, HASHES_AT_ONCE, type LogSource } from './log-source.js';
import type { RosterVersions } from './roster-versions.js';
import type { PlacedEntry } from './seen-entries.js';

/** Entries fetched at once. */
const BATCH = 256;

/** Where a pruned log begins: what a quorum of its members has signed of the entries that went. */
export interface PrunedStart {
  readonly state: BaselineState;
  /** the entries that it repeats, by their hashes those of the log; ascending, entry 0 among them */
  readonly repeated: readonly PlacedEntry[];
  /** over the entries that went, `state.size` of them */
  readonly tree: CompactTree;
  /** hash of the last entry of each actor, by the index that the state names */
  readonly headHashes: ReadonlyMap<number, Uint8Array>;
  /** where the entries stand that were looked for, by the hexadecimal form of their hashes */
  readonly places: ReadonlyMap<string, number>;
}

/** What a start is judged by. */
export interface StartRequest {
  readonly source: LogSource;
  /** the rosters that this site pinned */
  readonly rosters: RosterVersions;
  /** entry 0, as this site signed or installed it */
  readonly genesis: Uint8Array;
  /** what this site has verified already: the entries that went must continue it */
  readonly held: Pick<Checkpoint, 'size' | 'root'>;
  /** entries of the checkpoint on the way to which the first ones were missing */
  readonly end: number;
  readonly limits: FollowLimits;
  /** hashes, hexadecimal, of entries whose places are asked for */
  readonly wanted?: ReadonlySet<string>;
}

/**
 * Find the baseline with which a pruned log begins, and check it: a quorum of the members at the pruning signed it, and the
 * hashes of the entries that went give its root and chain, stand where it repeats an entry, and continue what this site
 * remembers. What has become of the entries behind it is judged by who follows them to a checkpoint.
 *
 * @throws E_FORK when entry 0 or what this site has verified is another one than there
 * @throws E_VERIFY when no such quorum signed it, or it says something else than the hashes
 * @throws E_ROSTER, E_LOG_ENTRY for changes of the membership that do not hold
 */
export async function readPrunedStart(request: StartRequest): Promise<PrunedStart> {
  const minimum = await minimumOf(request);
  const said = await statementsFrom(minimum, request);
  const proposal = proposalOf(said, minimum);
  const { state: attached, root } = proposal.entry.body;
  const state = await stateOf(attached.digest, minimum, request);
  const repeated = repeatedOf(state, request.genesis);
  verifyQuorum(said, proposal, repeated, request);
  const hashes = await readHashes(state, request);
  if (digestText(hashes.tree.root()) !== root || digestText(hashes.chain) !== state.chain)
    throw unfit(minimum, 'has another root or chain than their hashes');
  for (const { index, bytes } of repeated) {
    if (hashes.at.get(index) !== hex(entryHash(bytes)))
      throw unfit(minimum, `repeats another entry ${index} than the one of that hash`);
  }
  const headHashes = new Map<number, Uint8Array>();
  for (const { index } of state.heads) {
    const hash = hashes.at.get(index);
    if (hash === undefined) throw unfit(minimum, `names entry ${index}, which is not among them`);
    headHashes.set(index, fromHex(hash, 32));
  }
  return { state, repeated, tree: hashes.tree, headHashes, places: hashes.places };
}

async function minimumOf({ source, end, limits }: StartRequest): Promise<number> {
  const { minimum } = await source.hashes(0, 1);
  const isPlausible = minimum > 0 && minimum % TILE_WIDTH === 0 && minimum <= end;
  if (isPlausible && minimum <= limits.entries) return minimum;
  throw new RegulonError(
    'E_VERIFY',
    `the coordinator says that the log of ${end} entries was pruned up to ${minimum}`,
  );
}

/** Entries by which a pruning is judged. */
type Statement = PlacedEntry & { readonly entry: LogEntry<'log.baseline' | 'log.prune' | ChangeKind> };

/** What is said of baselines, prunings and members from an index on, up to the end of the log. */
async function statementsFrom(
  minimum: number,
  { source, end, limits }: StartRequest,
): Promise<readonly Statement[]> {
  const said: Statement[] = [];
  let bytesKept = 0;
  // the pruning stands under a checkpoint, perhaps a later one than that of this site's way
  for (let from = minimum, read = BATCH; read === BATCH && from < end + limits.entries; from += read) {
    const batch = (await source.entries(from, from + BATCH)).slice(0, BATCH);
    read = batch.length;
    batch.forEach((bytes, i) => {
      const entry = parseEntry(bytes);
      if (!isStatement(entry)) return;
      bytesKept += bytes.length;
      said.push({ index: from + i, entry, bytes });
    });
    if (bytesKept > limits.bytes)
      throw new RegulonError('E_VERIFY', `more than ${limits.bytes} bytes are said of prunings of the log`);
  }
  return said;
}

function isStatement(entry: LogEntry): entry is Statement['entry'] {
  return entry.kind === 'log.baseline' || entry.kind === 'log.prune' || isChange(entry);
}

/** What the coordinator proposed, and where the entries went under it. */
interface Proposal {
  readonly entry: LogEntry<'log.baseline'>;
  /** index of the `log.prune` */
  readonly pruned: number;
}

function proposalOf(said: readonly Statement[], minimum: number): Proposal {
  const prune = said.findLast(({ entry }) => entry.kind === 'log.prune' && entry.body.size === minimum);
  const at = prune?.entry.kind === 'log.prune' ? prune.entry.body.baseline : -1;
  const entry = said.find(({ index }) => index === at)?.entry;
  const isProposal =
    entry?.kind === 'log.baseline' && entry.actor.type === 'coordinator' && entry.body.size === minimum;
  if (prune !== undefined && isProposal) return { entry, pruned: prune.index };
  throw new RegulonError(
    'E_VERIFY',
    `the entries of the log before ${minimum} are missing, and no log.prune with a baseline says so`,
    {
      hint: 'ask the operator of the coordinator; compare exports of the sites with `regulon audit compare`',
    },
  );
}

async function stateOf(digest: string, minimum: number, { source }: StartRequest): Promise<BaselineState> {
  const bytes = await source.attachment(digest);
  const state = digestText(sha256(bytes)) === digest ? readBaseline(bytes) : undefined;
  if (state?.size === minimum) return state;
  throw unfit(minimum, 'is not there, or cannot be read');
}

function repeatedOf(state: BaselineState, genesis: Uint8Array): PlacedEntry[] {
  let last = -1;
  const repeated = state.repeated.map(({ index, entry: text }) => {
    const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
    const entry = parseEntry(bytes);
    if (index <= last || index >= state.size || !isRepeated(entry.kind))
      throw unfit(state.size, `repeats entry ${index} out of its place`);
    last = index;
    return { index, entry, bytes };
  });
  if (repeated[0]?.index === 0 && equalBytes(repeated[0].bytes, genesis)) return repeated;
  throw new RegulonError('E_FORK', 'entry 0 of the log is not the genesis that this site signed');
}

/** Signatures count under the rosters that this site pinned, in the order in which the log takes them. */
function verifyQuorum(
  said: readonly Statement[],
  { entry: proposal, pruned }: Proposal,
  repeated: readonly PlacedEntry[],
  { rosters }: StartRequest,
): void {
  const text = canonicalJson(proposal.body);
  const signers = new Set<string>();
  let changes = 0;
  const passed = repeated.filter(({ entry }) => isChange(entry));
  for (const { entry, bytes } of [...passed, ...said.filter(({ index }) => index <= pruned)]) {
    verifyEntry(entry, bytes, rosters.after(changes));
    if (isChange(entry)) rosters.next(entry, changes++);
    if (entry.kind === 'log.baseline' && entry.actor.type === 'site' && canonicalJson(entry.body) === text)
      signers.add(entry.actor.id);
  }
  const { genesis, members } = rosters.after(changes);
  const have = members.filter(({ name }) => signers.has(name)).length;
  if (have < genesis.quorum)
    throw new RegulonError(
      'E_VERIFY',
      `${have} members have signed the baseline of ${proposal.body.size} entries that are missing, ${genesis.quorum} are needed`,
      { hint: 'the coordinator may have removed entries without consent: tell the other sites' },
    );
}

/** What the hashes of the entries that went give. */
interface HashesRead {
  readonly tree: CompactTree;
  readonly chain: Uint8Array;
  /** hexadecimal, by index: of the entries that the state names */
  readonly at: ReadonlyMap<number, string>;
  readonly places: ReadonlyMap<string, number>;
}

async function readHashes(state: BaselineState, request: StartRequest): Promise<HashesRead> {
  const { source, held, wanted } = request;
  const named = new Set([...state.repeated, ...state.heads].map(({ index }) => index));
  const [at, places] = [new Map<number, string>(), new Map<string, number>()];
  const tree = CompactTree.empty();
  let chain = CHAIN_START;
  verifyHeld(tree, held);
  while (tree.size < state.size) {
    const to = Math.min(state.size, tree.size + HASHES_AT_ONCE);
    const { hashes } = await source.hashes(tree.size, to);
    if (hashes.length === 0) throw unfit(state.size, `goes on where no hash of entry ${tree.size} is`);
    for (const hash of hashes.slice(0, to - tree.size)) {
      const text = hex(hash);
      if (named.has(tree.size)) at.set(tree.size, text);
      if (wanted?.has(text) === true) places.set(text, tree.size);
      tree.append(hash);
      chain = nextChain(chain, hash);
      verifyHeld(tree, held);
    }
  }
  return { tree, chain, at, places };
}

/** The log that was pruned is the one that this site has seen. */
function verifyHeld(tree: CompactTree, { size, root }: StartRequest['held']): void {
  if (tree.size !== size || equalBytes(tree.root(), root)) return;
  throw new RegulonError(
    'E_FORK',
    `the log was pruned over other entries than the ${size} that this site has verified`,
  );
}

const unfit = (size: number, why: string): RegulonError =>
  new RegulonError('E_VERIFY', `the baseline of the ${size} entries that are missing ${why}`, {
    hint: 'ask the operator of the coordinator; compare exports of the sites with `regulon audit compare`',
  });
