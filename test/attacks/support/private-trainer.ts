import { sha256, utf8 } from '@regulon/shared/crypto';
import { modelDeclarationSchema } from '@regulon/shared/models';
import { RandomWords } from '@regulon/shared/privacy';
import { WasmBackend } from '../../../client/src/training/backends/wasm.js';
import type { UnitData } from '../../../client/src/training/data.js';
import { trainPrivately } from '../../../client/src/training/dp-sgd/dp-sgd.js';
import type { PrivateTraining, TrainJob } from '../../../client/src/training/job.js';
import { trainRound } from '../../../client/src/training/loop.js';
import { softmaxCrossEntropy } from '../../../client/src/training/losses/index.js';
import { Network } from '../../../client/src/training/network.js';
import type { Units } from './nets.js';

/** A training by the daemon's own code. */
export interface Training {
  readonly units: Units;
  readonly start: Float32Array;
  readonly hidden?: number;
  readonly classes: number;
  readonly steps: number;
  readonly learningRate: number;
  /** patient of each unit; absent: each unit is one */
  readonly patients?: ArrayLike<number>;
}

/** Parts of DP-SGD that an attack may vary; a bound of 1 for each patient, everybody in every step by default. */
export type Protection = Pick<PrivateTraining, 'noiseMultiplier'> & Partial<PrivateTraining>;

/** The trainer of a daemon in this process: private and plain training of small dense nets. */
export class PrivateTrainer {
  private constructor(private readonly backend: WasmBackend) {}

  static async start(): Promise<PrivateTrainer> {
    return new PrivateTrainer(await WasmBackend.start());
  }

  network(inputs: number, hidden: number | undefined, classes: number): Network {
    const output = { type: 'dense', units: 'outputs' };
    const layers =
      hidden === undefined ? [output] : [{ type: 'dense', units: hidden, activation: 'relu' }, output];
    const declaration = modelDeclarationSchema.parse({ blocks: [{ name: 'net', layers }] });
    return new Network(declaration, { inputShape: [inputs], outputs: classes });
  }

  /** Weights after a private training. @param seed of sampling and noise: never in a daemon */
  async trained(training: Training, protection: Protection, seed: string): Promise<Float32Array> {
    const privacy: PrivateTraining = {
      ...{
        steps: training.steps,
        samplingRate: 1,
        clipNorm: 1,
        recordsPerPatient: 1,
        recordKey: '00'.repeat(32),
      },
      ...{ patients: training.units.x.length, ...protection },
    };
    const round = this.round(training, { privacy });
    const source = new RandomWords(sha256(utf8(seed)));
    const { delta } = await trainPrivately(round, privacy, training.start, source);
    return training.start.map((w, i) => w + delta[i]!);
  }

  /** Weights after as many full steps without any protection. */
  async unprotected(training: Training): Promise<Float32Array> {
    const round = this.round(training, { epochs: training.steps, batchSize: training.units.x.length });
    const { delta } = await trainRound(round, training.start);
    return training.start.map((w, i) => w + delta[i]!);
  }

  private round(
    { units: { x, y }, hidden, classes, learningRate, patients }: Training,
    more: Partial<TrainJob>,
  ) {
    const inputs = x[0]!.length;
    const data: UnitData = {
      ...{ n: x.length, inputShape: [inputs], features: Float32Array.from(x.flat()) },
      ...(patients ? { patients: Int32Array.from(patients) } : {}),
      lossOf: (output, rows) =>
        softmaxCrossEntropy(
          output,
          rows.map((row) => y[row]!),
          classes,
        ),
    };
    const job = {
      ...{ epochs: 1, batchSize: 512, strategy: 'fed-avg', task: 'classify', shuffleKey: '07'.repeat(32) },
      ...{ round: 0, optimizer: { name: 'sgd', learningRate }, ...more },
    } as TrainJob;
    return { network: this.network(inputs, hidden, classes), data, backend: this.backend, job };
  }
}
