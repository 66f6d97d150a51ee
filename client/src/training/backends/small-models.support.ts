import { modelDeclarationSchema } from '@regulon/shared/models';
import type { UnitData } from '../data.js';
import { drawer } from '../gradient-check.support.js';
import type { TrainJob } from '../job.js';
import { trainRound } from '../loop.js';
import { squaredError } from '../losses/index.js';
import { Network } from '../network.js';
import type { TrainingBackend } from './backend.js';

const relu = { activation: 'relu' };
const OUT = { type: 'dense', units: 'outputs' };

/** The parity models in small shapes. @see docs/benchmarks.md */
export const MODELS: readonly { id: string; inputShape: number[]; outputs: number; layers: object[] }[] = [
  {
    ...{ id: 'A, 1D CNN', inputShape: [50, 1], outputs: 2 },
    layers: [
      { type: 'conv1d', filters: 8, kernel: 5, ...relu },
      { type: 'max-pool1d', size: 2 },
      { type: 'conv1d', filters: 16, kernel: 5, ...relu },
      { type: 'max-pool1d', size: 2 },
      { type: 'flatten' },
      { type: 'dense', units: 32, ...relu },
      OUT,
    ],
  },
  {
    ...{ id: 'B, LSTM', inputShape: [5, 20], outputs: 1 },
    layers: [{ type: 'lstm', units: 12 }, OUT],
  },
  {
    ...{ id: 'E, MLP', inputShape: [150], outputs: 2 },
    layers: [{ type: 'dense', units: 16, ...relu }, OUT],
  },
];

/** Three steps of Adam on one batch: the update and the last loss. */
export function train(
  { inputShape, outputs, layers }: (typeof MODELS)[number],
  backend: TrainingBackend,
  onStep?: (step: number) => void,
) {
  const declaration = modelDeclarationSchema.parse({ blocks: [{ name: 'trunk', layers }] });
  const network = new Network(declaration, { inputShape, outputs });
  const draw = drawer(5);
  const n = 8;
  const weights = draw(
    network.specs.reduce((sum, { size }) => sum + size, 0),
    0.3,
  );
  const features = draw(n * inputShape.reduce((a, b) => a * b, 1));
  const targets = draw(n * outputs);
  const data: UnitData = {
    ...{ n, inputShape, features },
    lossOf: (output, rows) => squaredError(output, targets, undefined, rows, outputs),
  };
  const job = {
    ...{ epochs: 3, batchSize: n, strategy: 'fed-avg', shuffleKey: '07'.repeat(32), round: 0 },
    optimizer: { name: 'adam', learningRate: 1e-2 },
  } as TrainJob;
  backend.activate();
  return trainRound({ network, data, backend, job, ...(onStep ? { onStep } : {}) }, weights);
}
