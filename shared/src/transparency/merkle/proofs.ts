import { equalBytes, nodeHashOf, verifyPath } from '../../crypto/index.js';
import { RegulonError } from '../../errors/index.js';

/** What `verifyInclusion` checks; everything but `root` may come from an attacker. */
export interface InclusionClaim {
  /** SHA-256(0x00 ‖ entry), 32 bytes */
  readonly entryHash: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly root: Uint8Array;
  /** nearest sibling first */
  readonly proof: readonly Uint8Array[];
}

/**
 * Check that an entry lies at `index` in the log of `size` entries with this root.
 *
 * @throws E_VERIFY if it does not, or a hash has another length than 32 bytes
 * @see RFC 9162 §2.1.3.2
 */
export function verifyInclusion({ entryHash, index, size, root, proof }: InclusionClaim): void {
  const lengths = [entryHash, root, ...proof].every((hash) => hash.length === 32);
  if (!lengths || !verifyPath({ leafHash: entryHash, index, size, path: proof, root })) {
    throw new RegulonError('E_VERIFY', `entry ${index} is not proved to lie in the log of size ${size}`, {
      details: { index, size },
    });
  }
}

/** Two heads of one log and the proof between them, all attacker-controlled. */
export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly newSize: number;
  readonly oldRoot: Uint8Array;
  readonly newRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/**
 * Check that the older log is a prefix of the newer one. From size 0 nothing can be proved, so that is refused.
 *
 * @throws E_FORK if the proof fails, has wrong lengths, or oldSize is 0 or above newSize
 * @see RFC 9162 §2.1.4.2
 */
export function verifyConsistency(claim: ConsistencyClaim): void {
  if (!isConsistent(claim)) {
    const { oldSize, newSize } = claim;
    throw new RegulonError(
      'E_FORK',
      `the log of size ${newSize} is not proved to extend the one of size ${oldSize}`,
      {
        details: { oldSize, newSize },
      },
    );
  }
}

function isConsistent({ oldSize, newSize, oldRoot, newRoot, proof }: ConsistencyClaim): boolean {
  if (!Number.isSafeInteger(oldSize) || !Number.isSafeInteger(newSize)) return false;
  if (oldSize < 1 || oldSize > newSize) return false;
  if (![oldRoot, newRoot, ...proof].every((hash) => hash.length === 32)) return false;
  if (oldSize === newSize) return proof.length === 0 && equalBytes(oldRoot, newRoot);
  const path = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : [...proof];
  const first = path.shift();
  if (first === undefined) return false;
  let [fn, sn, older, newer] = [oldSize - 1, newSize - 1, first, first];
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  for (const hash of path) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      older = nodeHashOf(hash, older);
      newer = nodeHashOf(hash, newer);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      newer = nodeHashOf(newer, hash);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equalBytes(older, oldRoot) && equalBytes(newer, newRoot);
}

const half = (n: number): number => Math.floor(n / 2);

const isPowerOfTwo = (n: number): boolean => Number.isInteger(Math.log2(n));
