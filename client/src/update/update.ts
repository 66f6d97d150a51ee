import { open } from 'node:fs/promises';
import { RegulonError } from '@regulon/shared/errors';
import { encodeExtras } from '@regulon/shared/program';
import {
  clipScale,
  encodeFixed,
  type Manifest,
  type MaskEngine,
  type MaskKey,
  normSquaredTile,
  packIntegers,
  quantiseTile,
  Rounding,
  TILE_BYTES,
  vectorLength,
} from '@regulon/shared/secagg';
import type { CoordinatorLink, UploadJob } from '../transport/index.js';
import { type MaskedVector, writeMasked } from './masked-file.js';

/** What this site contributes to a round, before any of it leaves. */
export type Contribution =
  /** training: file with local − global, float32 little-endian [d], or null when training gave no finite numbers */
  | { readonly kind: 'update'; readonly deltaPath: string | null }
  /** statistics and evaluation: float64 [d] */
  | { readonly kind: 'values'; readonly values: Float64Array }
  /** a silent role: zeros without weight */
  | { readonly kind: 'silent' };

/** One contribution on its way out. */
export interface OutgoingUpdate {
  readonly manifest: Manifest;
  readonly contribution: Contribution;
  /** w̃, a multiple of 2⁻²⁰; 0 for a silent role */
  readonly weight: number;
  /** values of the manifest's extras; `fault` and `clipped` are added here */
  readonly extras: Readonly<Record<string, number>>;
  /** key of the rounding stream of this round, the same in all attempts, 32 bytes */
  readonly roundingKey: Uint8Array;
  readonly masks: readonly MaskKey[];
  readonly engine: MaskEngine;
  /** where the masked vector is stored */
  readonly path: string;
  /** integer noise of a differentially private round, added to the quantised words; absent without one */
  readonly noise?: (words: Int32Array, firstElement: number) => void;
}

/** The stored vector, and what only this site's own people may know. */
export interface PreparedUpdate extends MaskedVector {
  /** whether a bound was exceeded here: the value was clamped and counted in the masked extra */
  readonly exceeded: boolean;
}

/**
 * From the local result to the bytes that may leave, in this order:
 * delta → weight → clip → quantise → noise → mask; the rest, seal → chunks, is `sendUpdate`.
 *
 * Nothing before the mask is written to disk, and nothing is refused because of its size: what exceeds a bound is
 * clamped and raises the masked fault (rounds.md §4).
 *
 * @throws E_DISK_FULL with nothing half-written
 * @see secagg.md §8
 */
export async function prepareUpdate(update: OutgoingUpdate): Promise<PreparedUpdate> {
  const { manifest, contribution } = update;
  switch (contribution.kind) {
    case 'update':
      return prepareDelta(update, contribution.deltaPath);
    case 'values':
      return prepareValues(update, contribution.values);
    case 'silent': {
      const tail = tailOf(update, false, 0);
      return {
        ...(await writeMasked({ ...target(update), fill: place(tail, bytesOf(manifest, tail)) })),
        exceeded: false,
      };
    }
  }
}

async function prepareDelta(update: OutgoingUpdate, deltaPath: string | null): Promise<PreparedUpdate> {
  const { manifest, weight, noise } = update;
  const { Q, C, d } = manifest;
  const delta = deltaPath === null ? null : await DeltaFile.open(deltaPath, d);
  try {
    // delta → weight → clip: one pass for the norm, then one factor for all elements
    const clip = delta && scaleOf(weight, await delta.normSquared(), C);
    const exceeded = clip === null || clip.exceeded;
    const tail = tailOf(update, exceeded, weight);
    const bodyBytes = 4 * d;
    const rounding = new Rounding(update.roundingKey);
    const masked = await writeMasked({
      ...target(update),
      fill: async (tile, offset) => {
        const elements = Math.max(0, Math.min(tile.length, bodyBytes - offset)) / 4;
        if (delta && clip && elements > 0) {
          const words = new Int32Array(tile.buffer, tile.byteOffset, elements);
          const x = await delta.read(offset / 4, elements);
          // quantise → noise
          quantiseTile(x, { weightScale: clip.scale, C, Q, rounding }, words);
          noise?.(words, offset / 4);
        }
        place(tail, bodyBytes)(tile, offset);
      },
      // mask: `writeMasked`
    });
    return { ...masked, exceeded };
  } finally {
    await delta?.close();
  }
}

async function prepareValues(update: OutgoingUpdate, values: Float64Array): Promise<PreparedUpdate> {
  const { manifest, weight } = update;
  if (values.length !== manifest.d) {
    throw new RegulonError('E_INTERNAL', `${values.length} values for a vector of ${manifest.d}`);
  }
  const { words, clamped } = encodeFixed(values, manifest.fractionBits, manifest.C);
  const tail = tailOf(update, clamped > 0, weight);
  const masked = await writeMasked({
    ...target(update),
    fill: (tile, offset) => {
      tile.set(words.subarray(offset, offset + tile.length));
      place(tail, words.length)(tile, offset);
    },
  });
  words.fill(0);
  return { ...masked, exceeded: clamped > 0 };
}

/**
 * seal → chunks: upload the stored vector, and only that one; resumes where the coordinator stands.
 *
 * @returns the coordinator's receipt, 64 bytes
 */
export function sendUpdate(link: CoordinatorLink, job: UploadJob): Promise<Uint8Array> {
  return link.upload(job);
}

/** Factor of a delta, or null when it is not finite: then zeros go out with the fault raised. */
function scaleOf(
  weight: number,
  normSquared: number,
  C: number,
): { scale: number; exceeded: boolean } | null {
  return Number.isFinite(normSquared) ? clipScale(weight, normSquared, C) : null;
}

/** Weight and extras behind the vector, as ring words. */
function tailOf(update: OutgoingUpdate, exceeded: boolean, weight: number): Uint8Array {
  const flags = exceeded ? { fault: 1, clipped: 1 } : {};
  const integers = encodeExtras(update.manifest.extras, weight, { ...update.extras, ...flags });
  return packIntegers(integers, update.manifest.ringBits);
}

function target(update: OutgoingUpdate) {
  const { path, manifest, masks, engine } = update;
  return { path, masks, engine, ringBits: manifest.ringBits, length: vectorLength(manifest) };
}

function bytesOf(manifest: Manifest, tail: Uint8Array): number {
  return (vectorLength(manifest) * manifest.ringBits) / 8 - tail.length;
}

/** Copies the part of `tail`, which begins at byte `start` of the vector, that lies in a tile. */
function place(tail: Uint8Array, start: number): (tile: Uint8Array, offset: number) => void {
  return (tile, offset) => {
    const from = Math.max(start, offset);
    const to = Math.min(start + tail.length, offset + tile.length);
    if (from < to) tile.set(tail.subarray(from - start, to - start), from - offset);
  };
}

/** Reads a delta file tile by tile; one tile is held. */
class DeltaFile {
  private readonly buffer = new Float32Array(TILE_BYTES / 4);

  private constructor(
    private readonly file: Awaited<ReturnType<typeof open>>,
    private readonly elements: number,
  ) {}

  /** @throws E_STATE_DB when the file has another size */
  static async open(path: string, elements: number): Promise<DeltaFile> {
    const file = await open(path, 'r');
    const { size } = await file.stat();
    if (size !== 4 * elements) {
      await file.close();
      throw new RegulonError('E_STATE_DB', `the local update has ${size} bytes instead of ${4 * elements}`);
    }
    return new DeltaFile(file, elements);
  }

  /** The elements `[first, first + count)`, valid until the next call. */
  async read(first: number, count: number): Promise<Float32Array> {
    const bytes = new Uint8Array(this.buffer.buffer, 0, 4 * count);
    for (let at = 0; at < bytes.length;) {
      const { bytesRead } = await this.file.read(bytes, at, bytes.length - at, 4 * first + at);
      if (bytesRead === 0) throw new RegulonError('E_STATE_DB', 'the local update ends early');
      at += bytesRead;
    }
    return this.buffer.subarray(0, count);
  }

  /** Σ x² in float64, in order. */
  async normSquared(): Promise<number> {
    let sum = 0;
    for (let at = 0; at < this.elements; at += this.buffer.length) {
      sum = normSquaredTile(await this.read(at, Math.min(this.buffer.length, this.elements - at)), sum);
    }
    return sum;
  }

  async close(): Promise<void> {
    this.buffer.fill(0);
    await this.file.close();
  }
}
