import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TrainJob } from '@regulon/client/training';
import type { Measurement, MeasurementJob } from './measurement.js';
import type { ParityModel } from './parity-models.js';

const run = promisify(execFile);
const ENGINE = fileURLToPath(new URL('./engine-main.js', import.meta.url));
/** The script is read where it is written: the compiler does not copy it. */
const TORCH = fileURLToPath(new URL('../../../bench/training/torch-reference.py', import.meta.url));
const OUTPUT_BYTES = 64 << 20;

/** Who trains in one measurement. */
export interface Runner {
  readonly name: 'blas' | 'wasm' | 'torch';
  readonly threads: number;
}

/** Measures runners; each measurement is a process of its own, so that peaks and first steps are its own. */
export class Measurer {
  constructor(
    private readonly python: string | undefined,
    private readonly acceleratorFolder: string | undefined,
  ) {}

  async measure(model: ParityModel, job: TrainJob, { name, threads }: Runner): Promise<Measurement> {
    const asked: Omit<MeasurementJob, 'backend'> = {
      ...{ id: model.id, job, threads, startedAt: Date.now() },
      ...(this.acceleratorFolder === undefined ? {} : { acceleratorFolder: this.acceleratorFolder }),
    };
    const [program, args] =
      name === 'torch'
        ? [this.python ?? 'python3', [TORCH, JSON.stringify(asked)]]
        : [process.execPath, [ENGINE, JSON.stringify({ ...asked, backend: name })]];
    // the engine chooses its own kernels, whatever this shell was told
    const kept = Object.entries(process.env).filter(([key]) => !key.startsWith('OPENBLAS_'));
    const env = { ...Object.fromEntries(kept), OMP_NUM_THREADS: String(threads) };
    const { stdout } = await run(program, args, { env, maxBuffer: OUTPUT_BYTES });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Measurement;
  }
}

/** A Python that has PyTorch: `REGULON_TORCH_PYTHON`, else `python3` of the path; undefined without one. */
export async function findTorch(): Promise<string | undefined> {
  const python = process.env['REGULON_TORCH_PYTHON'] ?? 'python3';
  try {
    await run(python, ['-c', 'import torch, numpy']);
    return python;
  } catch {
    return undefined;
  }
}
