import { createHash, type Hash } from 'node:crypto';
import { RegulonError } from '../errors/index.js';
import { equalBytes } from './bytes.js';
import { sha256 } from './hash.js';

/** Bytes of one leaf of a vector, a model or an aggregate. */
export const LEAF_BYTES = 65_536;

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** Hash of one leaf: SHA-256(0x00 ‖ leaf). @see RFC 6962 §2.1 */
export function leafHashOf(leaf: Uint8Array): Uint8Array {
  return sha256(LEAF, leaf);
}

/** Hash of an inner node: SHA-256(0x01 ‖ left ‖ right). @see RFC 6962 §2.1 */
export function nodeHashOf(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(NODE, left, right);
}

/** Root of the tree over some leaves. @param leaves raw leaf bytes in order; none gives SHA-256 of nothing */
export function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  return rootOfHashes(leaves.map(leafHashOf));
}

/** Root of the tree over some leaf hashes. @param hashes 32 bytes each, in order; none gives SHA-256 of nothing */
export function rootOfHashes(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return sha256();
  return subtree(hashes, 0, hashes.length);
}

/** Root over the 64 KiB pieces of a byte string; the last piece is short and unpadded. */
export function rootOfBytes(bytes: Uint8Array): Uint8Array {
  return new MerkleHasher().update(bytes).root();
}

/**
 * Path from a leaf to the root, nearest sibling first.
 *
 * @param hashes all leaf hashes
 * @param index of the leaf, 0-based
 * @throws E_INTERNAL if there is no such leaf
 * @see RFC 6962 §2.1.1
 */
export function inclusionPath(hashes: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!Number.isInteger(index) || index < 0 || index >= hashes.length)
    throw new RegulonError('E_INTERNAL', `no leaf ${index}`);
  const path: Uint8Array[] = [];
  let [lo, hi] = [0, hashes.length];
  while (hi - lo > 1) {
    const middle = lo + leftLeavesOf(hi - lo);
    if (index < middle) {
      path.unshift(subtree(hashes, middle, hi));
      hi = middle;
    } else {
      path.unshift(subtree(hashes, lo, middle));
      lo = middle;
    }
  }
  return path;
}

/** The paths of all leaves at once, in their order; n·log n work where single paths would take n². */
export function inclusionPaths(hashes: readonly Uint8Array[]): Uint8Array[][] {
  const paths: Uint8Array[][] = hashes.map(() => []);
  const walk = (lo: number, hi: number): Uint8Array => {
    const only = hashes[lo];
    if (hi - lo === 1 && only !== undefined) return only;
    const middle = lo + leftLeavesOf(hi - lo);
    const [left, right] = [walk(lo, middle), walk(middle, hi)];
    for (let k = lo; k < hi; k++) paths[k]?.push(k < middle ? right : left);
    return nodeHashOf(left, right);
  };
  if (hashes.length > 0) walk(0, hashes.length);
  return paths;
}

/** What `verifyPath` checks; everything but `root` may come from an attacker. */
export interface InclusionProof {
  readonly leafHash: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly path: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** True when the leaf lies at `index` in the tree of `size` leaves with this root. @see RFC 9162 §2.1.3.2 */
export function verifyPath({ leafHash, index, size, path, root }: InclusionProof): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  let [fn, sn, hash] = [index, size - 1, leafHash];
  for (const sibling of path) {
    if (sn === 0 || sibling.length !== 32) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHashOf(sibling, hash);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else {
      hash = nodeHashOf(hash, sibling);
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && equalBytes(hash, root);
}

/** Tree over the 64 KiB pieces of a stream; keeps 32 bytes a piece and copies nothing. */
export class MerkleHasher {
  /** hashes of the complete leaves so far, in order; all of them after `root()` */
  readonly leafHashes: Uint8Array[] = [];
  private open: Hash | undefined;
  private filled = 0;

  /** Append bytes of any length. */
  update(bytes: Uint8Array): this {
    for (let offset = 0; offset < bytes.length;) {
      const take = Math.min(LEAF_BYTES - this.filled, bytes.length - offset);
      this.open ??= createHash('sha256').update(LEAF);
      this.open.update(bytes.subarray(offset, offset + take));
      this.filled += take;
      offset += take;
      if (this.filled === LEAF_BYTES) this.closeLeaf();
    }
    return this;
  }

  /** Root of everything so far; ends the stream. */
  root(): Uint8Array {
    this.closeLeaf();
    return rootOfHashes(this.leafHashes);
  }

  private closeLeaf(): void {
    if (this.open === undefined) return;
    this.leafHashes.push(new Uint8Array(this.open.digest()));
    this.open = undefined;
    this.filled = 0;
  }
}

/** Leaves of the left subtree of n: the largest power of two below n, for n ≥ 2. @see RFC 6962 §2.1 */
export function leftLeavesOf(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

function subtree(hashes: readonly Uint8Array[], lo: number, hi: number): Uint8Array {
  const first = hashes[lo];
  if (hi - lo === 1 && first !== undefined) return first;
  const middle = lo + leftLeavesOf(hi - lo);
  return nodeHashOf(subtree(hashes, lo, middle), subtree(hashes, middle, hi));
}
