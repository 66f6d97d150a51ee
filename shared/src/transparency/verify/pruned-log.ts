import { equalBytes } from '../../crypto/index.js';
import { refusalOf } from '../../errors/index.js';
import type { ResolveAttachment } from '../entries/federation-keys.js';
import { digestText } from '../entries/fields.js';
import { entryHash, parseEntry } from '../entries/parse.js';
import type { LogEntry } from '../entries/schema.js';
import type { ChainHead } from '../entries/seal.js';
import { BaselineBuilder, type BaselineState, isRepeated, readBaseline } from '../evidence/baseline.js';
import type { Findings } from './findings.js';
import type { LogFiles } from './log-files.js';

/** Where the verification of a pruned log starts. */
export interface PrunedStart {
  /** index of the `log.prune` after which the entries went */
  readonly pruned: number;
  readonly state: BaselineState;
  /** the last entry of each actor below the minimum index, by `<type> <id>` */
  readonly heads: ReadonlyMap<string, Pick<ChainHead, 'seq' | 'hash'>>;
  /** the files with the entries that the baseline repeats */
  readonly files: LogFiles;
}

/**
 * Row L5 of a log whose first entry bundles are missing: a `log.prune` names the baseline with which it begins, and that
 * one fits the hashes of the entries that went. Who signed it is judged later, under the keys that it repeats.
 *
 * @returns undefined when nothing can start here; the findings say why
 */
export function startOfPruned(
  files: LogFiles,
  resolve: ResolveAttachment,
  findings: Findings,
): PrunedStart | undefined {
  const { minimum, entries } = files;
  const pruned = entries.findLastIndex((bytes) => {
    const entry = readEntry(bytes);
    return entry?.kind === 'log.prune' && entry.body.size === minimum;
  });
  const prune = readEntry(entries[pruned]);
  if (prune?.kind !== 'log.prune') {
    findings.fail('L5', `the entries before ${minimum} are missing, and no log.prune says so`, minimum);
    return undefined;
  }
  const at = prune.body.baseline;
  const baseline = at < pruned ? readEntry(entries[at]) : undefined;
  if (baseline?.kind !== 'log.baseline' || baseline.body.size !== minimum) {
    findings.fail('L5', `the entries before ${minimum} were pruned without a baseline`, pruned);
    return undefined;
  }
  const state = readBaseline(resolve(baseline.body.state.digest));
  if (state === undefined) {
    findings.fail('L5', 'the state of the baseline is missing or cannot be read', at);
    return undefined;
  }
  const wrong = contradiction(state, baseline.body.root, files);
  if (wrong !== undefined) {
    findings.fail('L5', `the baseline with which the log begins ${wrong}`, at);
    return undefined;
  }
  return started(files, state, pruned);
}

function started(files: LogFiles, state: BaselineState, pruned: number): PrunedStart {
  const heads = state.heads.map(({ type, id, seq, index }) => {
    return [`${type} ${id}`, { seq, hash: files.tree.leaf(index) }] as const;
  });
  const entries = [...files.entries];
  for (const { index, entry } of state.repeated) entries[index] = bytesOf(entry);
  return { pruned, state, heads: new Map(heads), files: { ...files, entries } };
}

/** What a baseline says otherwise than the hash tiles, which are all there. */
function contradiction(
  state: BaselineState,
  root: string,
  { tree, minimum }: Pick<LogFiles, 'tree' | 'minimum'>,
): string | undefined {
  const hashes = Array.from({ length: minimum }, (_, index) => tree.leaf(index));
  if (state.size !== minimum || root !== digestText(tree.root(minimum))) return 'has another size or root';
  const { chain } = BaselineBuilder.after({ ...state, ended: [] }, hashes).baseline().state;
  if (state.chain !== chain) return 'has another chain';
  if (!state.heads.every(({ index }) => index < minimum)) return 'names an entry behind its end';
  let last = -1;
  for (const { index, entry } of state.repeated) {
    const bytes = bytesOf(entry);
    const isThere = index > last && index < minimum && equalBytes(entryHash(bytes), tree.leaf(index));
    if (!isThere) return `repeats another entry ${index} than the one in the tree`;
    const repeated = readEntry(bytes);
    if (repeated === undefined || !isRepeated(repeated.kind))
      return `repeats entry ${index}, which cannot be read or is of no kind that a baseline repeats`;
    last = index;
  }
  return state.repeated[0]?.index === 0 ? undefined : 'does not repeat entry 0';
}

function readEntry(bytes: Uint8Array | undefined): LogEntry | undefined {
  if (bytes === undefined) return undefined;
  try {
    return parseEntry(bytes);
  } catch (error) {
    refusalOf(error, 'E_LOG_ENTRY');
    return undefined;
  }
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));
