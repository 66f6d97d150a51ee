import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { CANDIDATES, type Candidate } from '../backends/candidates.js';
import { installedDigest } from '../backends/installed-files.js';
import { findBlas } from '../backends/find-blas.js';
import { findTensorFlow } from '../backends/find-tensorflow.js';
import type { TrainJob } from '../job.js';

/** Milliseconds of a step on each backend that could be measured. */
const timesSchema = z.partialRecord(z.enum(CANDIDATES), z.number().positive());
export type StepTimes = Partial<Record<Candidate, number>>;

const storeSchema = z.strictObject({
  schema: z.literal('regulon.calibration/1'),
  /** by what `calibrationKey` says */
  steps: z.record(z.string(), timesSchema),
});

/** Times that were measured on this machine before; none where the file is missing or damaged. */
export function storedTimes(file: string): Record<string, StepTimes> {
  try {
    return storeSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).steps;
  } catch {
    return {};
  }
}

/** Add times, if there are any; a file that cannot be written is as if there were none: measured again next time. */
export function storeTimes(file: string, key: string, times: StepTimes): void {
  if (Object.keys(times).length === 0) return;
  const steps = { ...storedTimes(file), [key]: times };
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    const fresh = `${file}.${process.pid}`;
    writeFileSync(fresh, `${JSON.stringify({ schema: 'regulon.calibration/1', steps }, null, 2)}\n`, {
      mode: 0o600,
    });
    renameSync(fresh, file);
  } catch {
    // nothing depends on it
  }
}

/** Digest of a model with its sizes, and of the machine with its libraries: what a step's time depends on. */
export function calibrationKey(
  job: TrainJob,
  machine: { readonly threads: number; readonly acceleratorFolder?: string | undefined },
): string {
  const { declaration, inputShape, outputs, task, batchSize, optimizer } = job;
  const { threads, acceleratorFolder } = machine;
  const folders = [
    findBlas(acceleratorFolder)?.folder,
    findTensorFlow('gpu', acceleratorFolder)?.folder,
    findTensorFlow('native', acceleratorFolder)?.folder,
  ];
  const libraries = folders.map((folder) => (folder ? installedDigest(folder) : null));
  const cpu = os.cpus()[0]?.model ?? '';
  const model = [declaration, inputShape, outputs, task, batchSize, optimizer.name];
  return createHash('sha256')
    .update(JSON.stringify([model, cpu, threads, process.version, libraries]))
    .digest('hex');
}
