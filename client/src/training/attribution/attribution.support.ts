import { modelDeclarationSchema } from '@regulon/shared/models';
import type { TrainingBackend } from '../backends/backend.js';
import type { UnitData } from '../data.js';
import { drawer } from '../gradient-check.support.js';
import type { OptimizerOptions } from '../job.js';
import { trainRound } from '../loop.js';
import { softmaxCrossEntropy } from '../losses/index.js';
import { Network } from '../network.js';

/** A model of one block. */
export function networkOf(layers: readonly unknown[], inputShape: readonly number[], outputs = 2): Network {
  const declaration = modelDeclarationSchema.parse({ blocks: [{ name: 'trunk', layers }] });
  return new Network(declaration, { inputShape, outputs });
}

/** Seeded weights in (−scale, scale) for all of a model. */
export function weightsFor({ specs }: Network, scale = 0.7, seed = 5): Float32Array {
  return drawer(seed)(
    specs.reduce((n, { size }) => n + size, 0),
    scale,
  );
}

/** A seeded row in (−1, 1). */
export const rowOf = (length: number, seed = 11): Float64Array => Float64Array.from(drawer(seed)(length));

/** Classes of units, learnt for some epochs by its optimiser. @returns flat weights [P] */
export async function trainedOn(
  network: Network,
  backend: TrainingBackend,
  { features, labels }: { features: Float32Array; labels: Int32Array },
  options: {
    readonly epochs: number;
    readonly batchSize: number;
    readonly optimizer: OptimizerOptions;
    /** first weights are in (−scale, scale) */
    readonly scale: number;
  },
): Promise<Float32Array> {
  const { outputs, inputShape } = network.frame;
  const data: UnitData = {
    ...{ n: labels.length, inputShape, features, labels },
    lossOf: (output, rows) =>
      softmaxCrossEntropy(
        output,
        rows.map((row) => labels[row]!),
        outputs,
        { smoothing: 0 },
      ),
  };
  const { epochs, batchSize, optimizer, scale } = options;
  const weights = weightsFor(network, scale);
  const { delta } = await trainRound(
    {
      ...{ network, data, backend },
      job: {
        ...{
          declaration: modelDeclarationSchema.parse({
            blocks: network.model.blocks.map(({ declaration }) => declaration),
          }),
          inputShape,
          outputs,
          task: 'classify',
        },
        data: { featuresPath: '', shape: [data.n, ...inputShape], n: data.n },
        ...{ weightsPath: '', deltaPath: '', epochs, batchSize, strategy: 'fed-avg' },
        optimizer,
        ...{ shuffleKey: 'ab'.repeat(32), round: 0 },
      },
    },
    weights,
  );
  return weights.map((w, i) => w + delta[i]!);
}

/** Rank correlation; equal numbers share their mean rank. */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [x, y] = [ranksOf(a), ranksOf(b)];
  const mean = (x.length - 1) / 2;
  const moment = (u: number[], v: number[]): number =>
    u.reduce((sum, r, i) => sum + (r - mean) * (v[i]! - mean), 0);
  return moment(x, y) / Math.sqrt(moment(x, x) * moment(y, y));
}

function ranksOf(values: ArrayLike<number>): number[] {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const ranks = new Array<number>(values.length).fill(0);
  for (let at = 0; at < order.length;) {
    let end = at;
    while (end < order.length && values[order[end]!] === values[order[at]!]) end++;
    for (let i = at; i < end; i++) ranks[order[i]!] = (at + end - 1) / 2;
    at = end;
  }
  return ranks;
}
