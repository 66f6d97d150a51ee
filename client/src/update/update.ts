import { RegulonError } from '@regulon/shared/errors';
import { encodeExtras } from '@regulon/shared/program';
import {
  clipScale,
  encodeFixed,
  type Manifest,
  type MaskEngine,
  type MaskKey,
  packIntegers,
  vectorLength,
} from '@regulon/shared/secagg';
import type { CoordinatorLink, UploadJob } from '../transport/index.js';
import { DeltaFile } from './delta-file.js';
import { type DeltaWords, type Noise, place, withDeltaWords } from './delta-words.js';
import { MaskThreads } from './mask-threads.js';
import { type MaskedVector, writeMasked } from './masked-file.js';
import { type Fill, maskRange } from './masked-range.js';

const defaultThreads = new MaskThreads();

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
  readonly noise?: Noise;
  /** by default those of this machine */
  readonly threads?: MaskThreads;
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
 * clamped and raises the masked fault.
 *
 * @throws E_DISK_FULL with nothing half-written; E_STATE_DB when the delta has another size than the model
 * @see docs/protocol.md, Vectors in the ring
 */
export async function prepareUpdate(update: OutgoingUpdate): Promise<PreparedUpdate> {
  const { contribution } = update;
  switch (contribution.kind) {
    case 'update':
      return prepareDelta(update, contribution.deltaPath);
    case 'values':
      return prepareValues(update, contribution.values);
    case 'silent':
      return { ...(await writeTail(update, tailOf(update, [], 0))), exceeded: false };
  }
}

async function prepareDelta(update: OutgoingUpdate, deltaPath: string | null): Promise<PreparedUpdate> {
  const { manifest, weight, roundingKey } = update;
  const { Q, C, d } = manifest;
  // delta → weight → clip: one pass for the norm, then one factor for all elements
  const clip = deltaPath === null ? null : scaleOf(weight, await normSquaredOf(deltaPath, d), C);
  // what is no update is a fault under every plan, a norm above C only where the plan does not allow clipping
  if (deltaPath === null || clip === null)
    return { ...(await writeZeros(update, tailOf(update, ['fault'], weight))), exceeded: true };
  const { exceeded } = clip;
  const allowed = manifest.extras.some(({ name }) => name === 'clipped');
  const tail = tailOf(update, exceeded ? [allowed ? 'clipped' : 'fault'] : [], weight);
  const words = { deltaPath, d, weightScale: clip.scale, C, Q, roundingKey, tail };
  return { ...(await writeDelta(update, words)), exceeded };
}

/** quantise → noise → mask: in threads where they pay, on the calling thread otherwise. */
function writeDelta(update: OutgoingUpdate, words: DeltaWords): Promise<MaskedVector> {
  const { path, manifest, masks, engine, noise, threads = defaultThreads } = update;
  const bytes = vectorBytes(manifest);
  const { ringBits } = manifest;
  return writeMasked(path, vectorLength(manifest), (part) => {
    const target = { path: part, ringBits, masks };
    // noise is no plain data that a thread could be given
    if (noise === undefined && threads.pay(bytes, masks.length)) return threads.mask(words, target, bytes);
    const range = { lo: 0, hi: bytes };
    return withDeltaWords(words, range, (fill) => maskRange({ ...target, range }, fill, engine), noise);
  });
}

async function normSquaredOf(deltaPath: string, d: number): Promise<number> {
  const delta = await DeltaFile.open(deltaPath, d);
  return delta.normSquared().finally(() => delta.close());
}

async function prepareValues(update: OutgoingUpdate, values: Float64Array): Promise<PreparedUpdate> {
  const { manifest, weight } = update;
  if (values.length !== manifest.d) {
    throw new RegulonError('E_INTERNAL', `${values.length} values for a vector of ${manifest.d}`);
  }
  const { words, clamped } = encodeFixed(values, manifest.fractionBits, manifest.C);
  const placeTail = place(tailOf(update, clamped > 0 ? ['fault'] : [], weight), words.length);
  const masked = await writeFilled(update, (tile, offset) => {
    tile.set(words.subarray(offset, offset + tile.length));
    placeTail(tile, offset);
  });
  words.fill(0);
  return { ...masked, exceeded: clamped > 0 };
}

/** What goes out in place of an update that is none: zeros, with the noise of a contributor. */
function writeZeros(update: OutgoingUpdate, tail: Uint8Array): Promise<MaskedVector> {
  const { noise, manifest } = update;
  if (!noise) return writeTail(update, tail);
  const placeTail = place(tail, vectorBytes(manifest) - tail.length);
  return writeFilled(update, (tile, offset) => {
    const elements = Math.max(0, Math.min(tile.length, 4 * manifest.d - offset)) / 4;
    if (elements > 0) noise(new Int32Array(tile.buffer, tile.byteOffset, elements), offset / 4);
    placeTail(tile, offset);
  });
}

/** A vector of zeros with its tail. */
function writeTail(update: OutgoingUpdate, tail: Uint8Array): Promise<MaskedVector> {
  return writeFilled(update, place(tail, vectorBytes(update.manifest) - tail.length));
}

function writeFilled({ path, manifest, masks, engine }: OutgoingUpdate, fill: Fill): Promise<MaskedVector> {
  const range = { lo: 0, hi: vectorBytes(manifest) };
  const { ringBits } = manifest;
  return writeMasked(path, vectorLength(manifest), (part) =>
    maskRange({ path: part, range, ringBits, masks }, fill, engine),
  );
}

const vectorBytes = (manifest: Manifest): number => (vectorLength(manifest) * manifest.ringBits) / 8;

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
function tailOf(
  update: OutgoingUpdate,
  raised: readonly ('fault' | 'clipped')[],
  weight: number,
): Uint8Array {
  const flags = Object.fromEntries(raised.map((name) => [name, 1]));
  const integers = encodeExtras(update.manifest.extras, weight, { ...update.extras, ...flags });
  return packIntegers(integers, update.manifest.ringBits);
}
