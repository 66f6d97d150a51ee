import { equalBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { CHAIN_START, entryHash, LogTree, nextChain } from '@regulon/shared/transparency';
import type { LogRows } from './log-rows.js';

/**
 * The tree of all stored entries, hashed again from their bytes; where these were pruned, from their hashes, which the chain
 * and the stored root hold.
 *
 * @throws E_STATE_DB naming the first row whose hash or linear chain does not follow
 */
export function rebuildTree(rows: LogRows): LogTree {
  const tree = new LogTree();
  let chain = CHAIN_START;
  for (const row of rows.all()) {
    const hash = row.bytes === null ? row.hash : entryHash(row.bytes);
    chain = nextChain(chain, hash);
    if (!equalBytes(hash, row.hash) || (row.chain && !equalBytes(chain, row.chain))) {
      throw new RegulonError('E_STATE_DB', `the stored entry ${tree.size} of the log was changed`);
    }
    tree.append(hash);
  }
  return tree;
}
