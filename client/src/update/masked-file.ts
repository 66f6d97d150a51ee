import { rootOfHashes } from '@regulon/shared/crypto';
import { writeWhole } from '../files/index.js';

/** A stored masked vector; only these bytes may ever leave. */
export interface MaskedVector {
  /** Merkle root over 64 KiB pieces, 32 bytes */
  readonly root: Uint8Array;
  /** L, ring words */
  readonly length: number;
}

/**
 * Write a masked vector; durable and complete, or not there at all.
 *
 * @param length L, ring words
 * @param write puts all bytes into the file that it is named @returns leaf hashes of the whole vector
 * @throws E_DISK_FULL; no file is left behind
 */
export async function writeMasked(
  path: string,
  length: number,
  write: (part: string) => Promise<readonly Uint8Array[]>,
): Promise<MaskedVector> {
  return { root: rootOfHashes(await writeWhole(path, 'masked vector', write)), length };
}
