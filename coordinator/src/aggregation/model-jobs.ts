import { initialWeights } from '@regulon/shared/models';
import { withFiles } from './file-reader.js';
import type { InitialModelJob, ServerStepJob, WrittenBlob } from './job.js';
import { writeBlob } from './blob-writer.js';
import { strategies } from './strategies/index.js';

const TILE_ELEMENTS = 65_536;

/** Write the initial weights of an arm. @returns digest = modelHash of its first training round */
export function initialModel({ specs, seed, arm, place }: InitialModelJob): WrittenBlob {
  return writeBlob(place, asBytes(initialWeights(specs, { seed, arm })));
}

/** Next model from the current one and the sum, in tiles of 256 KiB: memory does not depend on the model. */
export function serverStep(job: ServerStepJob): WrittenBlob {
  return withFiles([job.model, job.aggregate], ([model, aggregate]) => {
    if (!model || !aggregate) throw new TypeError('two files were opened');
    return writeBlob(job.place, stepTiles(job, model, aggregate));
  });
}

type Readable = { read(into: Uint8Array, offset: number): void };

function* stepTiles(job: ServerStepJob, model: Readable, aggregate: Readable): Generator<Uint8Array> {
  const step = strategies[job.strategy](job);
  const [global, words] = [new Float32Array(TILE_ELEMENTS), new Int32Array(TILE_ELEMENTS)];
  for (let at = 0; at < job.d; at += TILE_ELEMENTS) {
    const count = Math.min(TILE_ELEMENTS, job.d - at);
    const [g, a] = [global.subarray(0, count), words.subarray(0, count)];
    model.read(bytesOf(g), at * 4);
    aggregate.read(bytesOf(a), at * 4);
    step.tile(g, a, g, at);
    yield bytesOf(g);
  }
}

function* asBytes(pieces: Iterable<Float32Array>): Generator<Uint8Array> {
  for (const piece of pieces) yield bytesOf(piece);
}

/** View of the bytes of an array; little-endian on every platform that Node supports for this project. */
const bytesOf = (array: Float32Array | Int32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
