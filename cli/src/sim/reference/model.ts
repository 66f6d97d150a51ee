import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writePrepared, writeUnprepared } from '@regulon/client/datasets';
import type { ArmData, EvaluateResult, TrainJob, Trainer } from '@regulon/client/training';
import type { FeatureSpecification, SitePreparation, UnitsView } from '@regulon/shared/genomics';
import { initialWeights, manifestOf, type ModelFrame, travellingWeights } from '@regulon/shared/models';
import type { Plan } from '@regulon/shared/plan';
import { headShapesOf, modelFrameOf } from '@regulon/shared/program';

/** Everything the reference needs to train and score models of one plan. */
export interface Workbench {
  readonly plan: Plan;
  readonly trainer: Trainer;
  /** folder for features and weights */
  readonly folder: string;
}

/** A preparation, and what it needs of the units' batches. */
export interface Fitted {
  readonly specification: FeatureSpecification;
  readonly batches: SitePreparation;
}

/** A model under way: its weights lie in a file. */
export interface ReferenceModel {
  readonly frame: ModelFrame;
  readonly weightsPath: string;
  /** weights of blocks that never leave a site: here those of whoever trains the model */
  readonly localWeightsPath?: string;
}

const bytesOf = (array: Float32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/**
 * Units written where the trainer reads them, as a daemon writes them.
 *
 * @param fitted what the preparation needs; null for series and sequences, which have none
 */
export function writeUnits(bench: Workbench, name: string, view: UnitsView, fitted: Fitted | null): ArmData {
  const prefix = join(bench.folder, name);
  if (!fitted) return writeUnprepared(view, bench.plan, prefix);
  return writePrepared(view, fitted.specification, fitted.batches, prefix);
}

/** A fresh model with the initial weights of an arm of the run. */
export function newModel(bench: Workbench, name: string, features: number, arm: number): ReferenceModel {
  const { plan } = bench;
  const frame = modelFrameOf(plan, features);
  const weightsPath = join(bench.folder, `${name}.weights`);
  const specs = manifestOf(plan.model, frame);
  const write = (path: string, own: typeof specs): void =>
    writeFileSync(path, Buffer.concat([...initialWeights(own, { seed: plan.seed, arm })].map(bytesOf)));
  write(weightsPath, travellingWeights(specs));
  const local = specs.filter(({ aggregate }) => aggregate === 'local');
  if (local.length === 0) return { frame, weightsPath };
  const localWeightsPath = `${weightsPath}.local`;
  write(localWeightsPath, local);
  return { frame, weightsPath, localWeightsPath };
}

/** Train a model in place for some epochs of the plan's optimiser. */
export async function trainModel(
  bench: Workbench,
  model: ReferenceModel,
  data: ArmData,
  epochs: number,
): Promise<void> {
  const { training, evaluation } = bench.plan;
  const deltaPath = `${model.weightsPath}.delta`;
  const job: TrainJob = {
    ...jobOf(bench, model, data),
    ...(model.localWeightsPath === undefined ? {} : { nextLocalWeightsPath: model.localWeightsPath }),
    deltaPath,
    epochs: training.strategy === 'fed-sgd' ? 1 : epochs,
    batchSize: training.batchSize,
    optimizer: training.optimizer,
    ...(training.schedule && {
      schedule: { shape: training.schedule, from: 0, span: training.rounds, rounds: training.rounds },
    }),
    ...(training.gradientClip === undefined ? {} : { gradientClip: training.gradientClip }),
    strategy: training.strategy,
    shuffleKey: '00'.repeat(32),
    round: 0,
    horizon: evaluation.horizon,
  };
  await bench.trainer.train(job);
  addDelta(model.weightsPath, deltaPath);
}

/** Score a model on test units. */
export async function evaluateModel(
  bench: Workbench,
  model: ReferenceModel,
  data: ArmData,
): Promise<EvaluateResult> {
  const { plan } = bench;
  const heads = plan.task === 'heads' ? { heads: headShapesOf({ plan, isPublic: true }) } : {};
  return bench.trainer.evaluate({
    ...{ ...jobOf(bench, model, data), horizon: plan.evaluation.horizon, ...heads },
  });
}

function jobOf(bench: Workbench, model: ReferenceModel, data: ArmData) {
  const { plan } = bench;
  const { frame, ...weights } = model;
  return { declaration: plan.model, ...frame, task: plan.task, data, ...weights };
}

function addDelta(weightsPath: string, deltaPath: string): void {
  const [weights, delta] = [readFloats(weightsPath), readFloats(deltaPath)];
  for (let i = 0; i < weights.length; i++) weights[i] = (weights[i] ?? 0) + (delta[i] ?? 0);
  writeFileSync(weightsPath, bytesOf(weights));
}

/** A file of float32 in the order of this machine; the caller owns the copy. */
export function readFloats(path: string): Float32Array {
  const bytes = readFileSync(path);
  return new Float32Array(Uint8Array.from(bytes).buffer);
}
