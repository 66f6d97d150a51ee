import { readFileSync } from 'node:fs';
import {
  Network,
  startBackend,
  type TrainingBackend,
  type TrainJob,
  trainRound,
} from '@regulon/client/training/engine';
import { modelDeclarationSchema } from '@regulon/shared/models';
import { type BenchRow, row } from './report.js';

const UNITS = 32;

/** A model whose steps are compared. */
export interface Model {
  readonly name: string;
  readonly inputShape: readonly number[];
  readonly layers: readonly object[];
  /** what a private step may cost, in plain ones */
  readonly atMost: number;
}

const dense = (units: number) => ({ type: 'dense', units, activation: 'relu' });
/** One of each kind that the goal names. */
export const MODELS: readonly Model[] = [
  { name: 'dense 5000-128-3', inputShape: [5000], layers: [dense(128)], atMost: 2 },
  { name: 'dense 2000-256-64-3', inputShape: [2000], layers: [dense(256), dense(64)], atMost: 2 },
  {
    name: 'convolutions 8×5, 16×5 over 1000 genes, dense 32',
    inputShape: [1000, 1],
    layers: [
      { type: 'conv1d', filters: 8, kernel: 5, activation: 'relu' },
      { type: 'max-pool1d', size: 2 },
      { type: 'conv1d', filters: 16, kernel: 5, activation: 'relu' },
      { type: 'max-pool1d', size: 2 },
      { type: 'flatten' },
      dense(32),
    ],
    atMost: 4,
  },
  { name: 'LSTM 64 over 10 × 50', inputShape: [10, 50], layers: [{ type: 'lstm', units: 64 }], atMost: 4 },
];

/** A step of DP-SGD against a plain one of the same model on the same 32 units, in turns; best of each. */
export async function privateSteps(quick: boolean, say: (line: string) => void): Promise<BenchRow[]> {
  const { backend } = await startBackend({ choice: 'auto', threads: 1 });
  say(`backend ${backend.name}`);
  const rows: BenchRow[] = [];
  for (const model of MODELS) {
    const turn = turnsOf(model, backend, quick ? 10 : 30);
    const best = { plain: [Infinity, Infinity], guarded: [Infinity, Infinity] };
    for (let k = 0; k < (quick ? 2 : 6); k++) {
      for (const kind of ['plain', 'guarded'] as const) {
        const taken = await turn(kind);
        best[kind] = best[kind].map((least, i) => Math.min(least, taken[i]!));
      }
    }
    say(
      `${model.name}: wall, thread ${best.plain.map(ms).join(', ')} plain; ${best.guarded.map(ms).join(', ')} private`,
    );
    const [plain, guarded] = [best.plain, best.guarded];
    const named = (what: string) => ({ name: `${model.name}, private step, ${what}`, unit: 'ms' });
    rows.push(
      row({
        ...named('wall'),
        ...{
          value: guarded[0]!,
          against: 'a plain step',
          reference: plain[0]!,
          atMost: model.atMost * plain[0]!,
        },
      }),
      row({
        ...named('CPU of the thread that trains'),
        ...{ value: guarded[1]!, against: 'a plain step', reference: plain[1]! },
      }),
    );
  }
  return rows;
}

/** Train once, plainly or privately. @param steps at least 3 */
export async function trainOnce(model: Model, kind: 'plain' | 'guarded', steps: number): Promise<void> {
  const { backend } = await startBackend({ choice: 'auto', threads: 1 });
  await turnsOf(model, backend, steps)(kind);
}

const ms = (value: number): string => value.toFixed(2);

/** @returns wall and CPU milliseconds of this thread, a step */
function turnsOf({ inputShape, layers }: Model, backend: TrainingBackend, steps: number) {
  const declaration = modelDeclarationSchema.parse({
    blocks: [{ name: 'net', layers: [...layers, { type: 'dense', units: 'outputs' }] }],
  });
  const network = new Network(declaration, { inputShape: [...inputShape], outputs: 3 });
  const size = inputShape.reduce((a, b) => a * b, 1);
  const features = Float32Array.from({ length: UNITS * size }, (_, i) => Math.sin(i * 1.7));
  const data = {
    ...{ n: UNITS, inputShape, features },
    lossOf: (output: Float32Array, rows: readonly number[]) => squaredLoss(output, rows),
  };
  const weights = Float32Array.from(
    { length: network.specs.reduce((n, spec) => n + spec.size, 0) },
    (_, i) => Math.sin(i * 0.7) / 50,
  );
  const shared = {
    ...{ epochs: steps, batchSize: UNITS, strategy: 'fed-avg', task: 'classify', round: 0 },
    ...{ shuffleKey: '07'.repeat(32), optimizer: { name: 'sgd', learningRate: 1e-4 } },
  };
  const privacy = {
    ...{ steps, samplingRate: 1, noiseMultiplier: 1, clipNorm: 1, patients: UNITS },
    ...{ recordsPerPatient: 1, recordKey: '00'.repeat(32) },
  };
  return async (kind: 'plain' | 'guarded'): Promise<[number, number]> => {
    // only the fields that training reads; files play no part
    const job = { ...shared, ...(kind === 'guarded' ? { privacy } : {}) } as TrainJob;
    const stamps: [number, number][] = [];
    const onStep = (): void => void stamps.push([performance.now(), threadMilliseconds()]);
    await trainRound({ network, data, backend, job, onStep }, weights);
    // the first steps start the thread of the noise and compile the loops
    const from = Math.floor(steps / 3);
    const over = (at: 0 | 1): number => (stamps.at(-1)![at] - stamps[from]![at]) / (steps - 1 - from);
    return [over(0), over(1)];
  };
}

/** ½ Σ output²: its gradient is the output. */
function squaredLoss(output: Float32Array, rows: readonly number[]) {
  let lossSum = 0;
  for (const value of output) lossSum += (value * value) / 2;
  return { lossSum, targetCount: rows.length, correct: 0 };
}

/** CPU time of this thread alone; 0 where the system does not say. */
function threadMilliseconds(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return 0;
  }
}
