import { leftLeavesOf, nodeHashOf, sha256 } from '../../crypto/index.js';
import { RegulonError } from '../../errors/index.js';

const HASH_BYTES = 32;

/** A growing column of 32-byte hashes in one buffer. */
class HashColumn {
  private bytes = new Uint8Array(64 * HASH_BYTES);
  length = 0;

  push(hash: Uint8Array): void {
    if ((this.length + 1) * HASH_BYTES > this.bytes.length) {
      const larger = new Uint8Array(this.bytes.length * 2);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes.set(hash, this.length * HASH_BYTES);
    this.length += 1;
  }

  slice(from: number, to: number): Uint8Array {
    return this.bytes.slice(from * HASH_BYTES, to * HASH_BYTES);
  }
}

/**
 * The Merkle tree of the log: append only, all complete subtrees kept (64 bytes an entry).
 *
 * Roots and proofs of every earlier size follow from it without reading entries again.
 *
 * @see RFC 6962 §2.1
 */
export class LogTree {
  /** level k holds the hashes of the complete, aligned subtrees of 2^k leaves */
  private readonly levels: HashColumn[] = [];

  /** Number of leaves. */
  get size(): number {
    return this.levels[0]?.length ?? 0;
  }

  /** Append one leaf. @param leafHash SHA-256(0x00 ‖ entry), 32 bytes @throws E_INTERNAL for another length */
  append(leafHash: Uint8Array): void {
    if (leafHash.length !== HASH_BYTES) throw new RegulonError('E_INTERNAL', 'a leaf hash has 32 bytes');
    let [column, level] = [this.column(0), 0];
    column.push(leafHash);
    while (column.length % 2 === 0) {
      const hash = nodeHashOf(this.node(level, column.length - 2), this.node(level, column.length - 1));
      column = this.column(++level);
      column.push(hash);
    }
  }

  /** Hash of a leaf. @throws E_NOT_FOUND if there is no such leaf */
  leaf(index: number): Uint8Array {
    this.checkSize(index + 1);
    return this.node(0, index);
  }

  /** Root of the first `size` leaves; SHA-256 of nothing for 0. @throws E_NOT_FOUND if the tree is smaller */
  root(size: number = this.size): Uint8Array {
    this.checkSize(size);
    return size === 0 ? sha256() : this.subtree(0, size);
  }

  /**
   * Path from a leaf to the root of the first `size` leaves, nearest sibling first.
   *
   * @throws E_NOT_FOUND if index ≥ size or the tree is smaller than size
   * @see RFC 6962 §2.1.1
   */
  inclusion(index: number, size: number = this.size): Uint8Array[] {
    this.checkSize(size);
    if (!Number.isSafeInteger(index) || index < 0 || index >= size)
      throw noSuch(`entry ${index} in size ${size}`);
    const path: Uint8Array[] = [];
    let [lo, hi] = [0, size];
    while (hi - lo > 1) {
      const middle = lo + leftLeavesOf(hi - lo);
      if (index < middle) {
        path.unshift(this.subtree(middle, hi));
        hi = middle;
      } else {
        path.unshift(this.subtree(lo, middle));
        lo = middle;
      }
    }
    return path;
  }

  /**
   * Proof that the tree of `oldSize` leaves is a prefix of the tree of `newSize`.
   *
   * @returns empty when oldSize is 0 or equals newSize
   * @throws E_NOT_FOUND if oldSize > newSize or the tree is smaller
   * @see RFC 6962 §2.1.2
   */
  consistency(oldSize: number, newSize: number = this.size): Uint8Array[] {
    this.checkSize(newSize);
    if (!Number.isSafeInteger(oldSize) || oldSize < 0 || oldSize > newSize)
      throw noSuch(`size ${oldSize} in ${newSize}`);
    if (oldSize === 0 || oldSize === newSize) return [];
    const proof: Uint8Array[] = [];
    let [lo, hi, whole] = [0, newSize, true];
    while (oldSize !== hi) {
      const middle = lo + leftLeavesOf(hi - lo);
      if (oldSize <= middle) {
        proof.unshift(this.subtree(middle, hi));
        hi = middle;
      } else {
        proof.unshift(this.subtree(lo, middle));
        [lo, whole] = [middle, false];
      }
    }
    if (!whole) proof.unshift(this.subtree(lo, hi));
    return proof;
  }

  /** Hashes `from`…`to − 1` of a tile level: complete subtrees of 256^level leaves, one after the other. */
  tileHashes(level: number, from: number, to: number): Uint8Array {
    const column = this.levels[8 * level];
    if (column === undefined || to > column.length)
      throw noSuch(`tile hashes ${from}–${to} of level ${level}`);
    return column.slice(from, to);
  }

  private column(level: number): HashColumn {
    return (this.levels[level] ??= new HashColumn());
  }

  private node(level: number, index: number): Uint8Array {
    return this.column(level).slice(index, index + 1);
  }

  private subtree(lo: number, hi: number): Uint8Array {
    const width = hi - lo;
    const level = Math.log2(width);
    if (Number.isInteger(level)) return this.node(level, lo / width);
    const middle = lo + leftLeavesOf(width);
    return nodeHashOf(this.subtree(lo, middle), this.subtree(middle, hi));
  }

  private checkSize(size: number): void {
    if (!Number.isSafeInteger(size) || size < 0 || size > this.size) throw noSuch(`size ${size}`);
  }
}

function noSuch(what: string): RegulonError {
  return new RegulonError('E_NOT_FOUND', `the log has no ${what}`);
}
