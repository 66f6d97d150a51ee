import { equalBytes, utf8 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  explainEntry,
  formatTlogProof,
  LogTree,
  parseCheckpoint,
  parseEntry,
  parseQuorumPolicy,
  parseTlogProof,
  readBundle,
  TILE_WIDTH,
  tilePath,
  verifyTlogProof,
  textOfNote,
} from '@regulon/shared/transparency';
import { writeWhole } from '../files/index.js';
import { entryOf } from './explain.js';
import { readBundleFile, readTextFile } from './files.js';

/**
 * Write one entry of a bundle with its inclusion proof and the checkpoint (C2SP tlog-proof).
 *
 * @throws E_BUNDLE if the bundle cannot be read; E_NOT_FOUND if it has no such entry; E_VERIFY if its hash tiles or the
 *   entry are not those of its checkpoint
 */
export async function proofCommand(args: {
  readonly bundle: string;
  readonly index: number;
  readonly out: string;
}): Promise<{ path: string; bytes: number; index: number; size: number }> {
  const { files } = readBundle(await readBundleFile(args.bundle));
  const checkpoint = textOfNote(files.get('checkpoint'));
  const { size, root } = parseCheckpoint(checkpoint);
  const entry = entryOf(files, args.index);
  const tree = treeOf(files, size);
  if (!equalBytes(tree.root(), root))
    throw new RegulonError(
      'E_VERIFY',
      'the hash tiles of the bundle do not have the root of its checkpoint',
      {
        hint: 'regulon audit verify names what is wrong',
      },
    );
  const { index, out } = args;
  const text = formatTlogProof({ entry, index, hashes: tree.inclusion(index), checkpoint });
  writeWhole(out, utf8(text));
  return { path: out, bytes: text.length, index, size };
}

/**
 * Check a proof against the policy that a site gave, and say what its entry is.
 *
 * @throws E_VERIFY when the proof does not hold, or fewer sites cosigned than the policy wants
 */
export async function checkProofCommand(args: {
  readonly proof: string;
  readonly policy: string;
}): Promise<{ index: number; size: number; cosigners: readonly string[]; quorum: number; text: string }> {
  const policy = parseQuorumPolicy(await readTextFile('the quorum policy', args.policy));
  const proof = parseTlogProof(await readTextFile('the proof', args.proof));
  const { size, cosigners } = verifyTlogProof(proof, policy);
  if (cosigners.length < policy.threshold)
    throw new RegulonError(
      'E_VERIFY',
      `${cosigners.length} sites cosigned the checkpoint, ${policy.threshold} are needed`,
    );
  const { index, entry } = proof;
  return { index, size, cosigners, quorum: policy.threshold, text: explainEntry(parseEntry(entry), index) };
}

function treeOf(files: ReadonlyMap<string, Uint8Array>, size: number): LogTree {
  const tree = new LogTree();
  for (let first = 0; first < size; first += TILE_WIDTH) {
    const width = Math.min(TILE_WIDTH, size - first);
    const tile = files.get(tilePath({ level: 0, index: first / TILE_WIDTH, width }));
    if (tile?.length !== 32 * width)
      throw new RegulonError('E_BUNDLE', `the hash tile of entry ${first} is missing`);
    for (let i = 0; i < width; i++) tree.append(tile.slice(32 * i, 32 * (i + 1)));
  }
  return tree;
}
