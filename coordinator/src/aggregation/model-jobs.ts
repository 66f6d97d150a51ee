import { initialWeights } from '@regulon/shared/models';
import type { CheckedStep, MeasuredSums } from '@regulon/shared/program';
import { withFiles } from './file-reader.js';
import type { InitialModelJob, ServerStepJob, SteppedModel, WrittenBlob } from './job.js';
import { writeBlob } from './blob-writer.js';
import { strategies } from './strategies/index.js';

const TILE_ELEMENTS = 65_536;

/** Write the initial weights of an arm. @returns digest = modelHash of its first training round */
export function initialModel({ specs, seed, arm, place }: InitialModelJob): WrittenBlob {
  return writeBlob(place, asBytes(initialWeights(specs, { seed, arm })));
}

/**
 * Next model from the current one and the sums, in tiles of 256 KiB: memory depends on neither, only on how many sums.
 *
 * @throws E_CEILING, E_OUTLIER when honest sites cannot have made the sum, or hardly; no file is left behind
 */
export function serverStep(job: ServerStepJob): SteppedModel {
  const step = strategies[job.strategy](job);
  return withFiles([job.model, ...job.sums], ([model, ...sums]) => {
    if (!model) throw new TypeError('a file was opened');
    let measured: MeasuredSums = { norms: [] };
    const pieces = function* (): Generator<Uint8Array> {
      yield* stepTiles(job.d, step, model, sums);
      measured = step.finish();
    };
    return { ...writeBlob(job.place, pieces()), measured };
  });
}

type Readable = { read(into: Uint8Array, offset: number): void };

function* stepTiles(
  d: number,
  step: CheckedStep,
  model: Readable,
  sums: readonly Readable[],
): Generator<Uint8Array> {
  const global = new Float32Array(TILE_ELEMENTS);
  const buffers = sums.map(() => new Int32Array(TILE_ELEMENTS));
  for (let at = 0; at < d; at += TILE_ELEMENTS) {
    const count = Math.min(TILE_ELEMENTS, d - at);
    const tile = global.subarray(0, count);
    const words = buffers.map((buffer) => buffer.subarray(0, count));
    model.read(bytesOf(tile), at * 4);
    sums.forEach((sum, s) => sum.read(bytesOf(words[s] ?? new Int32Array()), at * 4));
    step.tile(tile, words, tile, at);
    yield bytesOf(tile);
  }
}

function* asBytes(pieces: Iterable<Float32Array>): Generator<Uint8Array> {
  for (const piece of pieces) yield bytesOf(piece);
}

/** View of the bytes of an array; little-endian on every platform that Node supports for this project. */
const bytesOf = (array: Float32Array | Int32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
