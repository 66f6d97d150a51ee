import { concatBytes, nodeHashOf, sha256 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';

/**
 * The right edge of the log's Merkle tree: enough to append entries and to know each root, in 32 bytes a level.
 *
 * @see RFC 6962 §2.1
 */
export class CompactTree {
  private constructor(
    private count: number,
    private readonly peaks: Uint8Array[],
  ) {}

  static empty(): CompactTree {
    return new CompactTree(0, []);
  }

  /** @param edge peaks from the largest complete subtree to the smallest, 32 bytes each @throws E_STATE_DB */
  static restore(size: number, edge: Uint8Array): CompactTree {
    const peaks = Array.from({ length: edge.length / 32 }, (_, i) => edge.slice(32 * i, 32 * (i + 1)));
    if (edge.length !== 32 * bitCount(size)) {
      throw new RegulonError('E_STATE_DB', 'the stored edge of the log does not fit its size');
    }
    return new CompactTree(size, peaks);
  }

  get size(): number {
    return this.count;
  }

  get edge(): Uint8Array {
    return concatBytes(...this.peaks);
  }

  copy(): CompactTree {
    return new CompactTree(this.count, [...this.peaks]);
  }

  /** Append a leaf. @param leafHash SHA-256(0x00 ‖ entry) */
  append(leafHash: Uint8Array): void {
    let hash = leafHash;
    for (let rest = this.count; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const left = this.peaks.pop();
      if (left) hash = nodeHashOf(left, hash);
    }
    this.peaks.push(hash);
    this.count += 1;
  }

  root(): Uint8Array {
    const last = this.peaks.at(-1);
    if (!last) return sha256();
    return this.peaks.slice(0, -1).reduceRight((right, left) => nodeHashOf(left, right), last);
  }
}

function bitCount(n: number): number {
  let bits = 0;
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
  return bits;
}
