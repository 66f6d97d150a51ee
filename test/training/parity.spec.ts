import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  findBlas,
  loadUnits,
  Network,
  readFloat32,
  startBackend,
  trainRound,
} from '@regulon/client/training/engine';
import { parameterCount } from '@regulon/shared/models';
import { PARITY_MODELS, type ParityModel, writeParityJob } from '../bench/training/parity-models.js';

/** Loss before the update of the last step, from PyTorch 2.9.1 on the same files (`torch-reference.py`). */
const TORCH: Readonly<Record<ParityModel['id'], { steps: number; loss: number }>> = {
  A: { steps: 10, loss: 0.14556492865085602 },
  B: { steps: 30, loss: 0.0020067652221769094 },
  G: { steps: 30, loss: 0.002555341459810734 },
  C: { steps: 3, loss: 0.3338221311569214 },
  E: { steps: 30, loss: 0.005613518413156271 },
};
const TOLERANCE = 1e-4;
const acceleratorFolder = process.env['REGULON_ACCELERATOR'];
const hasBlas = findBlas(acceleratorFolder) !== undefined;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'regulon-parity-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function lossOf(model: ParityModel, choice: 'wasm' | 'blas', threads: number): Promise<number> {
  const { steps } = TORCH[model.id];
  const job = writeParityJob({ ...model, steps }, folder);
  const accelerator = acceleratorFolder === undefined ? {} : { acceleratorFolder };
  const { backend } = await startBackend({ choice, threads, ...accelerator });
  const data = await loadUnits(job, 'train');
  const network = new Network(job.declaration, { inputShape: data.inputShape, outputs: job.outputs });
  const weights = await readFloat32(job.weightsPath, parameterCount(network.specs), 'weights');
  const { sums } = await trainRound({ network, data, backend, job }, weights);
  return sums.lossSum / sums.targetCount;
}

describe('losses beside those of PyTorch (1e-4 relative)', () => {
  it.each(PARITY_MODELS)('$id, $title: wasm', async (model) => {
    const loss = await lossOf(model, 'wasm', 1);
    expect(Math.abs(loss / TORCH[model.id].loss - 1)).toBeLessThan(TOLERANCE);
  });

  (hasBlas ? it : it.skip).each(PARITY_MODELS)('$id, $title: blas (needs an OpenBLAS)', async (model) => {
    const loss = await lossOf(model, 'blas', 2);
    expect(Math.abs(loss / TORCH[model.id].loss - 1)).toBeLessThan(TOLERANCE);
  });
});
