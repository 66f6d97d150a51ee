import { equalBytes, leafHashOf } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import {
  type Checkpoint,
  digestText,
  formatTlogProof,
  LogTree,
  parseEntry,
  parseQuorumPolicy,
  readBundle,
  verifyCheckpoint,
  textOfNote,
} from '@regulon/shared/transparency';
import { writeWhole } from '../files/index.js';
import { entriesOf } from './bundle-entries.js';
import { readBundleFile, readTextFile } from './files.js';

/** Arguments of `regulon audit compare`. */
export interface CompareArguments {
  /** paths of two bundles of one federation, in any order */
  readonly bundles: readonly [string, string];
  /** path of the quorum policy, which comes from the sites: it names the key of the log */
  readonly policy: string;
  /** where to write the evidence of a fork */
  readonly out?: string;
}

/** Two entries of one index, each proved to be in a log that the same key signed. */
export interface ForkEvidence {
  readonly schema: 'regulon.fork-evidence/1';
  readonly origin: string;
  /** first entry that differs */
  readonly index: number;
  /** one C2SP tlog-proof a bundle, with its checkpoint: `regulon audit check-proof` checks each by itself */
  readonly proofs: readonly [string, string];
}

interface Side {
  readonly file: string;
  readonly size: number;
  /** digest text */
  readonly root: string;
}

/** The answer of `regulon audit compare`. */
export interface CompareOutcome {
  readonly status: 'same' | 'extends' | 'fork';
  readonly older: Side;
  readonly newer: Side;
  readonly evidence: ForkEvidence | null;
  readonly firstLine: string;
  /** E_FORK (exit 1) when the log has two histories */
  readonly failure: RegulonError | null;
}

/** A bundle whose entries are those that the log key signed. */
interface SignedLog {
  readonly file: string;
  readonly note: string;
  readonly checkpoint: Checkpoint;
  readonly entries: readonly Uint8Array[];
  readonly tree: LogTree;
}

/**
 * Whether one of two bundles is the beginning of the other. Only checkpoints and trees are judged, not what the entries
 * say.
 *
 * @throws E_BUNDLE or E_ARGUMENT if a file cannot be used; E_VERIFY if the entries of a bundle are not those that the log
 *   key signed: then nothing can be said of the other one
 */
export async function compareCommand({ bundles, policy, out }: CompareArguments): Promise<CompareOutcome> {
  const { log } = parseQuorumPolicy(await readTextFile('the quorum policy', policy));
  const read = async (file: string): Promise<SignedLog> =>
    signedLog(file, await readBundleFile(file), (note) => verifyCheckpoint(note, log));
  const [a, b] = [await read(bundles[0]), await read(bundles[1])];
  const [older, newer] = a.tree.size <= b.tree.size ? [a, b] : [b, a];
  const sides = { older: sideOf(older), newer: sideOf(newer) };
  const { size } = older.tree;
  if (equalBytes(newer.tree.root(size), older.checkpoint.root)) {
    const more = newer.tree.size - size;
    const status = more === 0 ? 'same' : 'extends';
    const text =
      more === 0
        ? `both bundles hold the same log of ${size} entries`
        : `${newer.file} extends ${older.file} by ${more} entries, from ${size} to ${newer.tree.size}`;
    return { status, ...sides, evidence: null, failure: null, firstLine: `CONSISTENT  ${text}` };
  }
  const evidence = evidenceOf(older, newer);
  if (out !== undefined) writeWhole(out, `${JSON.stringify(evidence, null, 2)}\n`);
  const told = [older, newer].map((one) => `${one.file} has ${nameOf(one, evidence.index)}`).join(', ');
  const message = `entry ${evidence.index} is the first that differs: ${told}; both checkpoints are signed by the log key`;
  return {
    ...{ status: 'fork', ...sides, evidence, firstLine: `FORK  ${message}` },
    failure: new RegulonError('E_FORK', message, { details: { index: evidence.index } }),
  };
}

function signedLog(file: string, bytes: Uint8Array, verify: (note: string) => Checkpoint): SignedLog {
  const { files } = readBundle(bytes);
  const note = textOfNote(files.get('checkpoint'));
  const checkpoint = verified(file, () => verify(note));
  const entries = entriesOf(files).map((entry) => entry.bytes);
  const tree = new LogTree();
  entries.forEach((entry) => tree.append(leafHashOf(entry)));
  if (tree.size !== checkpoint.size || !equalBytes(tree.root(), checkpoint.root))
    throw new RegulonError('E_VERIFY', `the entries of ${file} are not those of its checkpoint`, {
      hint: 'regulon audit verify names what is wrong',
    });
  return { file, note, checkpoint, entries, tree };
}

/** Name the file in what its checkpoint is refused for. */
function verified(file: string, verify: () => Checkpoint): Checkpoint {
  try {
    return verify();
  } catch (cause) {
    if (!isRegulonError(cause)) throw cause;
    throw new RegulonError('E_VERIFY', `${file}: ${cause.message}`, { cause });
  }
}

function evidenceOf(older: SignedLog, newer: SignedLog): ForkEvidence {
  const index = older.entries.findIndex((_, i) => !equalBytes(older.tree.leaf(i), newer.tree.leaf(i)));
  const proof = ({ entries, tree, note }: SignedLog): string =>
    formatTlogProof({
      ...{
        entry: entries[index] ?? new Uint8Array(0),
        index,
        hashes: tree.inclusion(index),
        checkpoint: note,
      },
    });
  const { origin } = older.checkpoint;
  return { schema: 'regulon.fork-evidence/1', origin, index, proofs: [proof(older), proof(newer)] };
}

const sideOf = ({ file, checkpoint }: SignedLog): Side => ({
  ...{ file, size: checkpoint.size, root: digestText(checkpoint.root) },
});

function nameOf({ entries }: SignedLog, index: number): string {
  try {
    const { kind, actor } = parseEntry(entries[index] ?? new Uint8Array(0));
    return `${kind} by ${actor.type} ${actor.id}`;
  } catch (error) {
    if (isRegulonError(error, 'E_LOG_ENTRY')) return 'one that cannot be read';
    throw error;
  }
}
