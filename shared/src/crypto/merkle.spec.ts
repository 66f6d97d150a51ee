import { describe, expect, it } from '@jest/globals';
import { hex, utf8 } from './bytes.js';
import {
  MerkleHasher,
  inclusionPath,
  inclusionPaths,
  leafHashOf,
  rootOf,
  rootOfBytes,
  verifyPath,
} from './merkle.js';

const leaves = (n: number): Uint8Array[] => Array.from({ length: n }, (_, k) => utf8(`leaf ${k}`));

describe('Merkle trees', () => {
  it('gives the pinned root of 150,000 bytes', () => {
    const bytes = Uint8Array.from({ length: 150_000 }, (_, k) => k % 251);
    expect(hex(rootOfBytes(bytes))).toBe('81a0aeb4c7705b914228496e5a08615abe4be4adffae22ec63a7eb6085486dc7');
  });

  it('gives the roots of the reference tests of RFC 6962', () => {
    expect(hex(rootOf([]))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(hex(rootOf([new Uint8Array()]))).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
    expect(hex(rootOf([new Uint8Array(), Uint8Array.of(0)]))).toBe(
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    );
  });

  it('does not depend on how the stream is cut', () => {
    const bytes = Uint8Array.from({ length: 200_001 }, (_, k) => (k * 31) % 256);
    const hasher = new MerkleHasher();
    for (let o = 0; o < bytes.length; o += 7001) hasher.update(bytes.subarray(o, o + 7001));
    expect(hex(hasher.root())).toBe(hex(rootOfBytes(bytes)));
    expect(hasher.leafHashes).toHaveLength(4);
  });

  it('proves every leaf of every size up to 33, and nothing else', () => {
    for (let size = 1; size <= 33; size++) {
      const all = leaves(size);
      const hashes = all.map(leafHashOf);
      const root = rootOf(all);
      expect(inclusionPaths(hashes)).toEqual(all.map((_, index) => inclusionPath(hashes, index)));
      for (let index = 0; index < size; index++) {
        const proof = {
          leafHash: leafHashOf(all[index] ?? new Uint8Array()),
          index,
          size,
          path: inclusionPath(hashes, index),
          root,
        };
        expect(verifyPath(proof)).toBe(true);
        expect(verifyPath({ ...proof, leafHash: leafHashOf(utf8('other')) })).toBe(false);
        expect(verifyPath({ ...proof, index: index + 1 })).toBe(false);
        expect(verifyPath({ ...proof, path: [...proof.path, root] })).toBe(false);
        if (size > 1) expect(verifyPath({ ...proof, path: proof.path.slice(1) })).toBe(false);
      }
    }
  });
});
