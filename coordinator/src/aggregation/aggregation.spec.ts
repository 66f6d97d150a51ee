import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hex, LEAF_BYTES, leafHashOf, rootOfBytes, verifyPath } from '@regulon/shared/crypto';
import { initialWeights, manifestOf, modelDeclarationSchema } from '@regulon/shared/models';
import { MaskEngine, TILE_BYTES } from '@regulon/shared/secagg';
import { InlineAggregator, type BlobPlace } from './index.js';

const specs = manifestOf(
  modelDeclarationSchema.parse({
    blocks: [
      {
        name: 'net',
        layers: [
          { type: 'dense', units: 300, activation: 'relu' },
          { type: 'dense', units: 'outputs' },
        ],
      },
    ],
  }),
  { inputShape: [500], outputs: 3 },
);

describe('aggregation jobs', () => {
  const aggregator = new InlineAggregator();
  let folder: string;
  let place: BlobPlace;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-aggregation-'));
    place = { folder, temporary: join(folder, 'tmp') };
    mkdirSync(place.temporary);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const contentOf = (digest: Uint8Array): Buffer =>
    readFileSync(join(folder, hex(digest).slice(0, 2), hex(digest)));
  const write = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };

  it.each([
    [32, 70_001],
    [64, 33_333],
  ] as const)('folds masked vectors of the %d-bit ring to the exact sum', async (ringBits, length) => {
    const width = ringBits / 8;
    const vectors = [1, 2, 3].map((seed) =>
      Uint8Array.from({ length: length * width }, (_, i) => (i * seed * 7919) % 251),
    );
    const keys = vectors.map((_, i) => new Uint8Array(32).fill(i + 1));
    const engine = new MaskEngine();
    const spools = vectors.map((vector, i) => {
      const masked = vector.slice();
      const masks = [{ key: keys[i] as Uint8Array, sign: 1 as const }];
      for (let at = 0; at < masked.length; at += TILE_BYTES)
        engine.maskTile(masked.subarray(at, at + TILE_BYTES), at, masks, ringBits);
      return write(`spool-${i}`, masked);
    });
    const masks = keys.map((key) => ({ key, sign: -1 as const }));
    const { digest, size } = await aggregator.run({ kind: 'fold', spools, masks, length, ringBits, place });
    const sum = contentOf(digest);
    expect(size).toBe(length * width);
    expect(rootOfBytes(sum)).toEqual(digest);
    const word = (bytes: Uint8Array, k: number): bigint => {
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      return ringBits === 32 ? BigInt(view.getUint32(4 * k, true)) : view.getBigUint64(8 * k, true);
    };
    for (let k = 0; k < length; k += 997) {
      const expected = vectors.reduce((total, v) => total + word(v, k), 0n);
      expect(word(sum, k)).toBe(BigInt.asUintN(ringBits, expected));
    }
    expect(readdirSync(place.temporary)).toEqual([]);
  });

  it('writes initial weights that the sites derive too', async () => {
    const { digest, size } = await aggregator.run({ kind: 'initial-model', specs, seed: 5, arm: 1, place });
    const expected = Buffer.concat(
      [...initialWeights(specs, { seed: 5, arm: 1 })].map((p) => Buffer.from(p.buffer)),
    );
    expect(contentOf(digest).equals(expected)).toBe(true);
    expect(size).toBe(expected.length);
  });

  it('applies the server step like one pass over whole vectors', async () => {
    const initial = await aggregator.run({ kind: 'initial-model', specs, seed: 5, arm: 0, place });
    const d = initial.size / 4;
    const aggregate = Int32Array.from({ length: d + 5 }, (_, i) => (i * 7919) % 100_000);
    const path = write('aggregate', new Uint8Array(aggregate.buffer));
    const model = join(folder, hex(initial.digest).slice(0, 2), hex(initial.digest));
    const job = {
      kind: 'server-step',
      strategy: 'fed-avg',
      model,
      sums: [path],
      d,
      terms: { rule: 'mean', ceiling: 1e9, weight: 2.5, Q: 2 ** 28, C: 100, owned: [] },
      place,
    } as const;
    const { digest } = await aggregator.run(job);
    const next = new Float32Array(new Uint8Array(contentOf(digest)).buffer);
    const before = new Float32Array(new Uint8Array(contentOf(initial.digest)).buffer);
    for (let k = 0; k < d; k += 1009) {
      expect(next[k]).toBe(
        Math.fround((before[k] as number) + (((aggregate[k] as number) / 2 ** 28) * 100) / 2.5),
      );
    }
  });

  it('opens a tile with a path to the root, the short last one too', async () => {
    const bytes = Uint8Array.from({ length: 3 * LEAF_BYTES + 100 }, (_, i) => i % 253);
    const path = write('vector', bytes);
    for (const tile of [0, 3]) {
      const [[opened] = []] = await aggregator.run({ kind: 'spot', paths: [path], tiles: [tile] });
      expect(opened?.tile).toEqual(bytes.slice(tile * LEAF_BYTES, (tile + 1) * LEAF_BYTES));
      const proof = {
        leafHash: leafHashOf(opened?.tile ?? bytes),
        index: tile,
        size: 4,
        path: opened?.path ?? [],
        root: rootOfBytes(bytes),
      };
      expect(verifyPath(proof)).toBe(true);
    }
    await expect(aggregator.run({ kind: 'spot', paths: [path], tiles: [4] })).rejects.toMatchObject({
      code: 'E_NOT_FOUND',
    });
  });

  it('refuses a stored upload of another length, and leaves no file', async () => {
    const job = {
      kind: 'fold',
      spools: [write('short', new Uint8Array(8))],
      masks: [],
      length: 4,
      ringBits: 32,
      place,
    } as const;
    await expect(aggregator.run(job)).rejects.toMatchObject({ code: 'E_UPLOAD_ROOT' });
    expect(readdirSync(place.temporary)).toEqual([]);
  });

  it('names what the disk refused when a blob cannot get its name, and leaves no file', async () => {
    const job = { kind: 'initial-model', specs, seed: 5, arm: 0, place } as const;
    const { digest } = await aggregator.run(job);
    const shelf = join(folder, hex(digest).slice(0, 2));
    rmSync(shelf, { recursive: true });
    writeFileSync(shelf, 'a file where a folder should be');
    await expect(aggregator.run(job)).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readdirSync(place.temporary)).toEqual([]);
  });
});
