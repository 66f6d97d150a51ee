import { describe, expect, it } from '@jest/globals';
import { inclusionPath, leafHashOf, rootOfHashes, sha256, utf8 } from '@regulon/shared/crypto';
import { KeyedGenerator } from '@regulon/shared/models';
import { MaskEngine, type MaskKey } from '@regulon/shared/secagg';
import type { CoordinatorLink } from '../../transport/index.js';
import { type AuditSubject, auditTiles, tilesToAudit } from './spot-audit.js';

const LEAF = 65_536;
const size = 2 * LEAF + 4000;
const engine = new MaskEngine();
const masks: MaskKey[] = [1, 2, 3].map((i) => ({ key: sha256(utf8(`seed ${i}`)), sign: -1 }));
const plain = [1, 2, 3].map((i) => Uint8Array.from({ length: size }, (_, k) => (k % 4 === 0 ? i : 0)));
const uploads = plain.map((vector, i) => masked(vector, masks[i] as MaskKey));
const sum = Uint8Array.from({ length: size }, (_, k) => (k % 4 === 0 ? 6 : 0));

function masked(vector: Uint8Array, mask: MaskKey): Uint8Array {
  const out = vector.slice();
  for (let at = 0; at < size; at += LEAF) {
    engine.maskTile(out.subarray(at, Math.min(size, at + LEAF)), at, [{ key: mask.key, sign: 1 }], 32);
  }
  return out;
}

const leavesOf = (bytes: Uint8Array): Uint8Array[] =>
  Array.from({ length: Math.ceil(size / LEAF) }, (_, i) => bytes.slice(i * LEAF, (i + 1) * LEAF));
const rootOf = (bytes: Uint8Array): Uint8Array => rootOfHashes(leavesOf(bytes).map(leafHashOf));

/** A coordinator that opens what it holds. */
function opening(aggregate: Uint8Array): CoordinatorLink {
  const open = (bytes: Uint8Array, tile: number) => ({
    tile: leavesOf(bytes)[tile] ?? new Uint8Array(),
    path: inclusionPath(leavesOf(bytes).map(leafHashOf), tile),
  });
  const fetch = async ({ tiles }: { tiles: number[] }) =>
    tiles.flatMap((index) => [
      ...uploads.map((y, i) => ({
        type: 'spotTiles',
        index,
        aggregate: false,
        site: i + 1,
        ...open(y, index),
      })),
      { type: 'spotTiles', index, aggregate: true, site: 0, ...open(aggregate, index) },
    ]);
  return { fetch } as unknown as CoordinatorLink;
}

const subject = (aggregate: Uint8Array): AuditSubject => ({
  ...{ run: new Uint8Array(16), round: 0, masks, size, ringBits: 32, aggregateRoot: rootOf(aggregate) },
  survivors: uploads.map((y, i) => ({ id: i + 1, root: rootOf(y), sig: new Uint8Array(64) })),
});

describe('the spot audit of a site', () => {
  it('agrees with an honest aggregate on every tile', async () => {
    await expect(auditTiles(opening(sum), subject(sum), [0, 1, 2], engine)).resolves.toBeUndefined();
  });

  it('finds one wrong word in the tile that it looks at, and only there', async () => {
    const wrong = sum.slice();
    wrong[LEAF + 8] = 7;
    await expect(auditTiles(opening(wrong), subject(wrong), [0, 2], engine)).resolves.toBeUndefined();
    await expect(auditTiles(opening(wrong), subject(wrong), [1], engine)).rejects.toThrow(
      expect.objectContaining({ code: 'E_MODEL' }),
    );
  });

  it('refuses a tile that does not lie under the announced root', async () => {
    await expect(auditTiles(opening(sum), subject(uploads[0] ?? sum), [0], engine)).rejects.toThrow(
      /not opened/,
    );
  });

  it('looks at about 48 tiles over all sites in training, at every tile of a small statistic', () => {
    const choice = new KeyedGenerator(sha256(utf8('a secret')));
    const tiles = tilesToAudit(1000 * LEAF, 32, 5, choice);
    expect(new Set(tiles).size).toBe(10);
    expect(Math.max(...tiles)).toBeLessThan(1000);
    expect(tilesToAudit(10 * LEAF + 1, 64, 5, choice)).toHaveLength(11);
    expect(tilesToAudit(3, 32, 5, choice)).toEqual([0]);
  });
});
