/** One measurement of the engine in a process of its own: `node engine-main.js JOB`. */
import { readFileSync } from 'node:fs';
import { loadUnits, Network, readFloat32, startBackend, trainRound } from '@regulon/client/training/engine';
import { parameterCount } from '@regulon/shared/models';
import type { Measurement, MeasurementJob } from './measurement.js';

const { job, backend: choice, threads, acceleratorFolder, startedAt } = asked();

function asked(): MeasurementJob {
  return JSON.parse(process.argv[2] ?? '') as MeasurementJob;
}

const { backend, record } = await startBackend({
  ...{ choice, threads },
  ...(acceleratorFolder === undefined ? {} : { acceleratorFolder }),
});
const data = await loadUnits(job, 'train');
const network = new Network(job.declaration, { inputShape: data.inputShape, outputs: job.outputs });
const weights = await readFloat32(job.weightsPath, parameterCount(network.specs), 'weights');
const ends: number[] = [];
let loss = Number.NaN;
const onStep = (_step: number, _steps: number, sums: { lossSum: number; targetCount: number }): void => {
  ends.push(performance.now());
  loss = sums.lossSum / sums.targetCount;
};
await trainRound({ network, data, backend, job, onStep }, weights);
const measurement: Measurement = {
  steps: ends.slice(1).map((end, i) => end - (ends[i] ?? end)),
  loss,
  firstStep: performance.timeOrigin + (ends[0] ?? 0) - startedAt,
  peakBytes: 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]),
  record,
};
process.stdout.write(`${JSON.stringify(measurement)}\n`);
