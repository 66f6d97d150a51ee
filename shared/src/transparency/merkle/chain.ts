import { sha256 } from '../../crypto/index.js';

const CHAIN = Uint8Array.of(2);

/** The linear chain before the first entry: 32 zero bytes. */
export const CHAIN_START: Uint8Array = new Uint8Array(32);

/**
 * One step of the linear chain that is kept beside the tree.
 *
 * @param chain value after the previous entry, 32 bytes
 * @param entryHash SHA-256(0x00 ‖ entry), 32 bytes
 * @returns SHA-256(0x02 ‖ chain ‖ entryHash)
 */
export function nextChain(chain: Uint8Array, entryHash: Uint8Array): Uint8Array {
  return sha256(CHAIN, chain, entryHash);
}
