import { concatBytes, enc, equalBytes, leafHashOf, u32, u64, verifyPath } from '@regulon/shared/crypto';
import {
  encodeEntryBundle,
  LogTree,
  newTiles,
  parseEntryBundle,
  parseTilePath,
  tilePath,
  verifyConsistency,
  verifyInclusion,
} from '@regulon/shared/transparency';
import { changePieces, piecesOf } from '../grammar/pieces.js';
import { changeLines } from '../grammar/text.js';
import { mustHold, type Target } from '../harness/target.js';

const tree = new LogTree();
for (let i = 0; i < 300; i++) tree.append(leafHashOf(u32(i)));
const roots = [1, 2, 3, 8, 255, 256, 300].map((size) => ({ size, root: tree.root(size) }));
const textOf = (input: Uint8Array): string => new TextDecoder().decode(input);

const safe = (bytes: Uint8Array | undefined): number =>
  bytes?.length === 8 ? Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0)) : NaN;

/** Inclusion: index, size, leaf, then the path. What verifies lies in the real tree. */
const inclusion: Target = {
  name: 'merkle-path',
  codes: ['E_VERIFY'],
  examples: () =>
    [0, 7, 254, 299].map((index) =>
      enc(u64(index), u64(300), leafHashOf(u32(index)), ...tree.inclusion(index, 300)),
    ),
  run(input) {
    const [index, size, leaf, ...proof] = piecesOf(input) ?? [];
    const entryHash = leaf ?? new Uint8Array(0);
    const claim = { index: safe(index), size: safe(size), root: tree.root(300) };
    const path = { leafHash: entryHash, ...claim, path: proof };
    const holds = verifyPath(path);
    verifyInclusion({ entryHash, ...claim, proof });
    mustHold(holds && equalBytes(tree.leaf(claim.index), entryHash), 'a path to a leaf that is not there');
  },
  change: changePieces,
};

/** Consistency: both sizes, the older root, then the proof. What verifies is the older root of the real tree. */
const consistency: Target = {
  name: 'merkle-consistency',
  codes: ['E_FORK'],
  examples: () =>
    roots.map(({ size, root }) => enc(u64(size), u64(300), root, ...tree.consistency(size, 300))),
  run(input) {
    const [oldSize, newSize, oldRoot = new Uint8Array(0), ...proof] = piecesOf(input) ?? [];
    const claim = { oldSize: safe(oldSize), newSize: safe(newSize), oldRoot, newRoot: tree.root(300), proof };
    verifyConsistency(claim);
    const known = claim.newSize !== 300 || equalBytes(tree.root(claim.oldSize), oldRoot);
    mustHold(known, 'a proof from a root that the log never had');
  },
  change: changePieces,
};

const entries = [new Uint8Array(3).fill(1), new Uint8Array(0), new Uint8Array(300).fill(2)];

const entryBundle: Target = {
  name: 'entry-bundle',
  codes: [],
  examples: () => [encodeEntryBundle(entries), encodeEntryBundle([])],
  run(input) {
    for (const width of [1, 3, 256]) {
      const { entries: read, complete } = parseEntryBundle(input, width);
      mustHold(read.length <= width, 'more entries than the path promises');
      const again = encodeEntryBundle(read.filter((entry) => entry.length <= 61_440));
      if (complete && again.length === input.length)
        mustHold(equalBytes(again, input), 'entries with other bytes');
    }
  },
};

const path: Target = {
  name: 'tile-path',
  codes: [],
  examples: () =>
    [...newTiles(0, 70_000).slice(-3), ...newTiles(0, 300)].map((t) => concatBytes(encode(tilePath(t)))),
  run(input) {
    const tile = parseTilePath(textOf(input));
    if (tile !== undefined) mustHold(tilePath(tile) === textOf(input), 'a tile with two paths');
  },
  change: changeLines(['tile/', 'entries', '0', '8', '/', 'x001', '.p/', '255', '256', '000', 'x999']),
  words: ['x000/', '.p/0', '.p/256', 'tile/8/'],
};

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What an auditor or a witness recomputes. */
export const merkleTargets = (): Target[] => [inclusion, consistency, entryBundle, path];
