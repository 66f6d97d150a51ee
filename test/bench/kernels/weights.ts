import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { dispose } from '@tensorflow/tfjs-core';
import {
  KeptArray,
  readFloat32,
  readFloat32Into,
  type TrainingBackend,
  writeFloat32,
} from '@regulon/client/training/engine';
import { type BenchRow, row } from '../report.js';
import { inScratchFolder } from '../scratch-folder.js';
import type { FastestOf } from './fastest-of.js';
import { randomTensor } from './tensors.js';

/** Weights of the autoencoder C, 84 MB. */
const LAYERS = [
  [10_000, 1024],
  [1024, 256],
  [256, 1024],
  [1024, 10_000],
].flatMap(([inputs = 1, outputs = 1]) => [[inputs, outputs], [outputs]]);
const PARAMETERS = LAYERS.reduce((n, shape) => n + shape.reduce((a, b) => a * b, 1), 0);
const GOAL = 50;

/** Weights from a file into tensors and back; pages of the file are in memory. */
export function weightRows(backend: TrainingBackend, time: FastestOf): Promise<BenchRow[]> {
  return inScratchFolder(async (folder) => {
    const path = join(folder, 'weights');
    const tensors = LAYERS.map((shape) => randomTensor(backend, shape));
    const flat = new Float32Array(PARAMETERS);
    const gather = (): void =>
      void tensors.reduce((at, t) => (flat.set(backend.view(t), at), at + t.size), 0);
    gather();
    for (const name of [path, join(folder, 'update')]) await writeFloat32(name, flat);
    const kept = new KeptArray();
    const scatter = (values: Float32Array): void => {
      let at = 0;
      for (const tensor of tensors) backend.view(tensor).set(values.subarray(at, (at += tensor.size)));
    };
    const taken = await time({
      in: async () => {
        const values = kept.take(PARAMETERS);
        await readFloat32Into(path, values, 'weights');
        scatter(values);
      },
      fresh: async () => scatter(await readFloat32(path, PARAMETERS, 'weights')),
      out: async () => {
        gather();
        // as from round to round: the update before is written over
        await rename(join(folder, 'update'), join(folder, 'spare'));
        await writeFloat32(join(folder, 'update'), flat, join(folder, 'spare'));
      },
      new: async () => {
        gather();
        await writeFloat32(join(folder, 'new'), flat);
      },
      plain: async () => {
        gather();
        await overwrite(path, flat);
      },
    });
    dispose(tensors);
    const what = `weights, ${(4 * PARAMETERS) / 1e6} MB,`;
    return [
      row({
        ...{ name: `${what} from a file into tensors`, value: taken.in, unit: 'ms', atMost: GOAL },
        ...{ against: 'through fresh memory', reference: taken.fresh },
      }),
      row({
        ...{ name: `${what} from tensors over a file`, value: taken.plain, unit: 'ms', atMost: GOAL },
        ...{ against: '' },
      }),
      row({
        ...{ name: `${what} the same with SHA-256 and fsync, as an update`, value: taken.out, unit: 'ms' },
        ...{ against: 'into a new file', reference: taken.new },
      }),
    ];
  });
}

/** Writes over a file as it lies there: no more than the bytes themselves cost. */
async function overwrite(path: string, values: Float32Array): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.write(new Uint8Array(values.buffer), 0, values.byteLength, 0);
  } finally {
    await file.close();
  }
}
