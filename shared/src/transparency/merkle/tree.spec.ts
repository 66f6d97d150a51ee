import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hex, leafHashOf, nodeHashOf, rootOf, utf8 } from '../../crypto/index.js';
import { CHAIN_START, nextChain } from './chain.js';
import { verifyConsistency, verifyInclusion } from './proofs.js';
import { LogTree } from './tree.js';

const entries = Array.from({ length: 70 }, (_, i) => utf8(`entry ${i}`));
const tree = new LogTree();
entries.forEach((entry) => tree.append(leafHashOf(entry)));
const sizes = fc.integer({ min: 1, max: entries.length });
const flipped = (bytes: Uint8Array, bit: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
};

describe('log tree', () => {
  it('has the published roots and hashes', () => {
    expect(hex(new LogTree().root())).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    expect(hex(leafHashOf(new Uint8Array(0)))).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
    const leaf = leafHashOf(utf8('L123456'));
    expect(hex(leaf)).toBe('395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56');
    expect(hex(nodeHashOf(utf8('N123'), utf8('N456')))).toBe(
      'aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb',
    );
    expect(hex(nextChain(CHAIN_START, leaf))).toBe(
      '4a85b83f6f9618545d3344bc805d451d688eb2c752981aa7018cbb2299662432',
    );
  });

  it('has, at every size, the root of the definition', () => {
    for (let size = 0; size <= entries.length; size++) {
      expect(hex(tree.root(size))).toBe(hex(rootOf(entries.slice(0, size))));
    }
  });

  it('proves every entry in every size, and nothing after a change', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (size, pick, bit) => {
        const index = pick % size;
        const entryHash = tree.leaf(index);
        const [root, proof] = [tree.root(size), tree.inclusion(index, size)];
        verifyInclusion({ entryHash, index, size, root, proof });
        const lie = flipped(entryHash, bit % 256);
        expect(() => verifyInclusion({ entryHash: lie, index, size, root, proof })).toThrow();
        expect(() => verifyInclusion({ entryHash, index, size, root, proof: [...proof, root] })).toThrow();
        if (size > 1) {
          expect(() =>
            verifyInclusion({ entryHash, index: (index + 1) % size, size, root, proof }),
          ).toThrow();
          const cut = proof.with(0, (proof[0] ?? root).slice(0, 31));
          expect(() => verifyInclusion({ entryHash, index, size, root, proof: cut })).toThrow();
        }
      }),
    );
  });

  it('proves every prefix, and nothing after a change', () => {
    fc.assert(
      fc.property(sizes, sizes, fc.nat(), fc.nat(), (a, b, pick, bit) => {
        const [oldSize, newSize] = [Math.min(a, b), Math.max(a, b)];
        const [oldRoot, newRoot, proof] = [
          tree.root(oldSize),
          tree.root(newSize),
          tree.consistency(oldSize, newSize),
        ];
        verifyConsistency({ oldSize, newSize, oldRoot, newRoot, proof });
        const fork = { oldSize, newSize, oldRoot: flipped(oldRoot, bit % 256), newRoot, proof };
        expect(() => verifyConsistency(fork)).toThrow(expect.objectContaining({ code: 'E_FORK' }));
        if (proof.length > 0) {
          const at = pick % proof.length;
          const changed = proof.with(at, flipped(proof[at] ?? newRoot, bit % 256));
          expect(() => verifyConsistency({ oldSize, newSize, oldRoot, newRoot, proof: changed })).toThrow();
          expect(() =>
            verifyConsistency({ oldSize, newSize, oldRoot, newRoot, proof: proof.slice(1) }),
          ).toThrow();
        }
      }),
    );
  });

  it('refuses proofs of another form than the sizes have', () => {
    const [oldRoot, newRoot, proof] = [tree.root(3), tree.root(7), tree.consistency(3, 7)];
    const claim = { oldSize: 3, newSize: 7, oldRoot, newRoot, proof };
    verifyConsistency(claim);
    for (const wrong of [
      { oldSize: 2.5 },
      { newSize: Infinity },
      { oldRoot: oldRoot.slice(1) },
      { proof: [] },
      { proof: [...proof, newRoot] },
      { newSize: 3 },
    ])
      expect(() => verifyConsistency({ ...claim, ...wrong })).toThrow(
        expect.objectContaining({ code: 'E_FORK' }),
      );
  });

  it('refuses a proof from size 0, and sizes that do not exist', () => {
    const [oldRoot, newRoot] = [tree.root(0), tree.root(3)];
    expect(() => verifyConsistency({ oldSize: 0, newSize: 3, oldRoot, newRoot, proof: [] })).toThrow();
    expect(() => verifyConsistency({ oldSize: 4, newSize: 3, oldRoot, newRoot, proof: [] })).toThrow();
    expect(() => tree.root(71)).toThrow(expect.objectContaining({ code: 'E_NOT_FOUND' }));
    expect(() => tree.inclusion(5, 5)).toThrow();
    expect(() => tree.consistency(6, 5)).toThrow();
    expect(() => tree.append(new Uint8Array(31))).toThrow();
    expect(() => tree.tileHashes(3, 0, 1)).toThrow(expect.objectContaining({ code: 'E_NOT_FOUND' }));
  });
});
