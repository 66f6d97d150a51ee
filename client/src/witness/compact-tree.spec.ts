import { describe, expect, it } from '@jest/globals';
import { sha256, utf8 } from '@regulon/shared/crypto';
import { LogTree } from '@regulon/shared/transparency';
import { CompactTree } from './compact-tree.js';

const refused = (code: string): object => expect.objectContaining({ code });

describe('the right edge of the log', () => {
  it('has the root of the whole tree at every size, also when restored', () => {
    const tree = new LogTree();
    let edge = CompactTree.empty();
    for (let size = 1; size <= 130; size++) {
      const leaf = sha256(utf8(String(size)));
      tree.append(leaf);
      edge.append(leaf);
      expect(edge.root()).toEqual(tree.root());
      edge = CompactTree.restore(edge.size, edge.edge);
    }
    expect(() => CompactTree.restore(3, new Uint8Array(32))).toThrow(refused('E_STATE_DB'));
  });
});
