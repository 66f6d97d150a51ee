import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { rootOfBytes, sha256, utf8 } from '@regulon/shared/crypto';
import {
  decodeFixed,
  type Manifest,
  MaskEngine,
  type MaskKey,
  Rounding,
  unpackIntegers,
} from '@regulon/shared/secagg';
import { rootOfFile } from '../files/index.js';
import { type OutgoingUpdate, prepareUpdate } from './update.js';
import { temporaryFolder } from '../state/temporary-folder.support.js';

const folder = temporaryFolder('update');
const engine = new MaskEngine();
const key = (name: string): Uint8Array => sha256(utf8(name));
/** a set of masks and its negative: what one adds the other takes off */
const masks: MaskKey[] = [
  { key: key('self'), sign: 1 },
  { key: key('pair'), sign: -1 },
];
const inverse: MaskKey[] = masks.map((m) => ({ ...m, sign: m.sign === 1 ? -1 : 1 }));
const d = 70_001;

const trainingManifest = (changes: Partial<Manifest> = {}): Manifest =>
  ({
    ...{ d, Q: 2 ** 20, C: 100, ringBits: 32, fractionBits: 0, purpose: 0 },
    extras: [
      { name: 'fault', scale: 1, min: 0, max: 1 },
      { name: 'loss', scale: 256, min: 0, max: 1000 },
    ],
    ...changes,
  }) as Manifest;

function delta(scale = 1): Float32Array {
  return Float32Array.from({ length: d }, (_, k) => scale * Math.sin(k) * 0.01);
}

async function outgoing(
  changes: Partial<OutgoingUpdate>,
): Promise<{ words: Uint8Array; update: OutgoingUpdate; root: Uint8Array; exceeded: boolean }> {
  const update: OutgoingUpdate = {
    ...{
      manifest: trainingManifest(),
      contribution: { kind: 'silent' },
      weight: 0.75,
      extras: { loss: 2.5 },
    },
    ...{ roundingKey: key('rounding'), masks, engine, path: join(folder, 'y.bin'), ...changes },
  };
  const { root, exceeded } = await prepareUpdate(update);
  const stored = new Uint8Array(readFileSync(update.path));
  expect(rootOfBytes(stored)).toEqual(root);
  const words = stored.slice();
  for (let at = 0; at < words.length; at += 131_072) {
    engine.maskTile(words.subarray(at, at + 131_072), at, inverse, update.manifest.ringBits);
  }
  return { words, update, root, exceeded };
}

function deltaFile(values: Float32Array): string {
  const path = join(folder, 'delta.f32');
  writeFileSync(path, values);
  return path;
}

/** `docs/protocol.md`, Training (32-bit ring), written plainly for one element. */
function plainQuantised(values: Float32Array, weight: number, { Q, C }: Manifest): Int32Array {
  const norm = weight * Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
  const factor = weight * Math.min(1, C / norm);
  const random = new Rounding(key('rounding')).next(values.length);
  return Int32Array.from(values, (x, k) => {
    const ratio = Math.max(-1, Math.min(1, (x * factor) / C));
    const q = Math.floor(ratio * Q + ((random[k] ?? 0) >>> 8) / 2 ** 24);
    return Math.max(-Q, Math.min(Q, q));
  });
}

describe('an update on its way out', () => {
  it('is weighted, quantised and masked as plain arithmetic says, with weight and extras behind it', async () => {
    const values = delta();
    const { words, update, exceeded } = await outgoing({
      contribution: { kind: 'update', deltaPath: deltaFile(values) },
    });
    const expected = plainQuantised(values, 0.75, update.manifest);
    expect(new Int32Array(words.buffer, 0, d)).toEqual(expected);
    expect(unpackIntegers(words.subarray(4 * d), 32)).toEqual([0.75 * 2 ** 20, 0, 640]);
    expect(exceeded).toBe(false);
  });

  it('is clipped to the bound with the masked fault raised, not refused', async () => {
    const manifest = trainingManifest({ C: 0.5 });
    const values = delta();
    const contribution = { kind: 'update' as const, deltaPath: deltaFile(values) };
    const { words, exceeded } = await outgoing({ manifest, contribution });
    const plain = plainQuantised(values, 0.75, manifest);
    const body = new Int32Array(words.buffer, 0, d);
    // the factor is formed in another order: at most one unit apart
    expect(body.every((q, k) => Math.abs(q - (plain[k] ?? 0)) <= 1)).toBe(true);
    expect(unpackIntegers(words.subarray(4 * d), 32)[1]).toBe(1);
    expect(exceeded).toBe(true);
  });

  it('under `clip: allow` counts as a clipped site, without an excess as none, and without numbers as a fault', async () => {
    const extras = ['fault', 'clipped'].map((name) => ({ name, scale: 1, min: 0, max: 1 }));
    const contribution = { kind: 'update' as const, deltaPath: deltaFile(delta()) };
    for (const [C, clipped] of [
      [0.5, 1],
      [100, 0],
    ] as const) {
      const { words } = await outgoing({ manifest: trainingManifest({ C, extras }), contribution });
      expect(unpackIntegers(words.subarray(4 * d), 32)).toEqual([0.75 * 2 ** 20, 0, clipped]);
    }
    const none = { kind: 'update' as const, deltaPath: null };
    const { words } = await outgoing({ manifest: trainingManifest({ extras }), contribution: none });
    expect(unpackIntegers(words.subarray(4 * d), 32)).toEqual([0.75 * 2 ** 20, 1, 0]);
  });

  it('gives the same stored bytes again for the same masks and rounding stream', async () => {
    const contribution = { kind: 'update' as const, deltaPath: deltaFile(delta()) };
    const { root } = await outgoing({ contribution });
    expect((await outgoing({ contribution })).root).toEqual(root);
    expect((await outgoing({ contribution, roundingKey: key('other') })).root).not.toEqual(root);
  });

  it('of a training without finite numbers is zeros with the fault raised', async () => {
    for (const deltaPath of [null, deltaFile(Float32Array.from(delta(), (x, k) => (k === 9 ? NaN : x)))]) {
      const { words } = await outgoing({ contribution: { kind: 'update', deltaPath } });
      expect(new Int32Array(words.buffer, 0, d).every((q) => q === 0)).toBe(true);
      expect(unpackIntegers(words.subarray(4 * d), 32).slice(0, 2)).toEqual([0.75 * 2 ** 20, 1]);
    }
  });

  it('of a silent role is a zero vector without weight and without fault', async () => {
    const { words } = await outgoing({ contribution: { kind: 'silent' }, weight: 0, extras: {} });
    expect(words.every((byte) => byte === 0)).toBe(true);
    expect(words).toHaveLength(4 * (d + 3));
  });

  it('refuses a delta file of another size, and leaves no file behind', async () => {
    const path = join(folder, 'never.bin');
    const contribution = { kind: 'update' as const, deltaPath: deltaFile(delta().subarray(1)) };
    await expect(outgoing({ contribution, path })).rejects.toThrow(
      expect.objectContaining({ code: 'E_STATE_DB' }),
    );
    expect(existsSync(path) || existsSync(`${path}.part`)).toBe(false);
  });
});

describe('a statistic on its way out', () => {
  const manifest = trainingManifest({
    ...{ d: 5, ringBits: 64, fractionBits: 32, C: 1000, purpose: 1 },
    extras: [{ name: 'fault', scale: 1, min: 0, max: 1 }],
  });

  it('is fixed-point in the 64-bit ring', async () => {
    const values = Float64Array.of(1.5, -2.25, 1 / 3, 0, 999);
    const { words } = await outgoing({
      manifest,
      contribution: { kind: 'values', values },
      weight: 1,
      extras: {},
    });
    decodeFixed(words.subarray(0, 40), 32).forEach((x, k) => expect(x).toBeCloseTo(values[k] ?? 0, 9));
    expect(unpackIntegers(words.subarray(40), 64)).toEqual([2 ** 20, 0]);
  });

  it('clamps what exceeds its bound and raises the masked fault', async () => {
    const values = Float64Array.of(1001, -1e12, NaN, 1, 2);
    const { words, exceeded } = await outgoing({
      manifest,
      contribution: { kind: 'values', values },
      weight: 1,
      extras: {},
    });
    expect([...decodeFixed(words.subarray(0, 40), 32)]).toEqual([1000, -1000, 0, 1, 2]);
    expect(unpackIntegers(words.subarray(40), 64)[1]).toBe(1);
    expect(exceeded).toBe(true);
  });
});

describe('a stored vector', () => {
  it('is recognised after a restart by its root, and refused when it was cut', async () => {
    const path = join(folder, 'stored.bin');
    const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
    writeFileSync(path, bytes);
    expect(await rootOfFile(path, bytes.length)).toEqual(rootOfBytes(bytes));
    await expect(rootOfFile(path, bytes.length + 4)).rejects.toThrow(
      expect.objectContaining({ code: 'E_STATE_DB' }),
    );
  });
});
