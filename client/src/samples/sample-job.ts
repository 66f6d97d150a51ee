import { basename, join } from 'node:path';
import { equalBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  featureCount,
  type FeatureSpecification,
  hasBatchSteps,
  lastStep,
  LETTERS,
  omicsOf,
} from '@regulon/shared/genomics';
import { modelFilesOf } from '@regulon/shared/models';
import type { Plan } from '@regulon/shared/plan';
import { modelFrameOf } from '@regulon/shared/program';
import {
  type DatasetSource,
  loadDataset,
  type LocalDataset,
  verifyPatientUnits,
  viewOf,
} from '../data/index.js';
import { writeGeneNames, writePrepared, writeUnprepared } from '../datasets/index.js';
import type { ArmData, ModelJob } from '../training/index.js';
import { outputsOf, type SampleOutput } from './outputs.js';
import type { PulledModel } from './pulled-model.js';

/** Where a site's samples lie; of what kind and scale they are says the plan of the model. */
export interface SampleSource extends Omit<DatasetSource, 'kind' | 'scale'> {
  /** files that the model is made with, each named by the 64 digits of its digest */
  readonly modelFiles?: string;
  /** weights of this site, of a model that has any */
  readonly localWeights?: string;
  /** their classes are read, as the plan defines them */
  readonly wantsClasses: boolean;
}

/** Samples as a model reads them. */
export interface SampleJob {
  readonly job: ModelJob;
  readonly units: readonly string[];
  /** name of each number that the model reads of a unit */
  readonly inputs: readonly string[];
  /** each number that the model gives, as far as the plan names them */
  readonly outputs: readonly SampleOutput[];
}

/**
 * Prepare samples for a model as the sites of its run did.
 *
 * @param folder private, for prepared data
 * @throws E_PANEL for another gene panel; E_ARGUMENT for a preparation that no new sample can go through; the errors of the
 *   importers
 */
export async function sampleJob(
  model: PulledModel,
  source: SampleSource,
  folder: string,
): Promise<SampleJob> {
  const { plan, specification } = model;
  const { modelFiles, localWeights, wantsClasses, ...where } = source;
  const dataset = await loadDataset({ ...where, kind: plan.dataset.kind, scale: plan.dataset.scale });
  verifyPatientUnits(dataset, plan.dataset.unit, basename(source.counts));
  verifyPanel(model, dataset, basename(source.counts));
  if (specification) verifyPreparation(specification);
  const classes = wantsClasses ? plan.label?.classes : undefined;
  const view = { ...viewOf(dataset, classes), ...omicsOf(dataset, plan) };
  const prefix = join(folder, 'samples');
  const data: ArmData = specification
    ? {
        ...writePrepared(view, specification, undefined, prefix),
        ...writeGeneNames(plan, dataset.panel, specification, prefix),
      }
    : writeUnprepared(view, plan, prefix);
  const inputs = inputNames(plan, dataset, specification);
  const paths = modelFilesOf(plan.model).map((digest): [string, string] => [
    digest,
    join(modelFiles ?? '', digest.slice('sha256:'.length)),
  ]);
  const job: ModelJob = {
    ...{ declaration: plan.model, task: plan.task, data, weightsPath: model.weightsPath },
    ...modelFrameOf(plan, featuresOf(plan, dataset, specification)),
    ...{ modelFiles: Object.fromEntries(paths), horizon: plan.evaluation.horizon },
    ...(localWeights === undefined ? {} : { localWeightsPath: localWeights }),
  };
  return { job, units: dataset.unitIds, inputs, outputs: outputsOf(plan, dataset, inputs) };
}

/** @throws E_PANEL */
function verifyPanel({ panelDigest }: PulledModel, dataset: LocalDataset, file: string): void {
  if (equalBytes(dataset.panelDigest, panelDigest)) return;
  const message = `${file}: ${dataset.panel.length} genes that are not those of the run, in their order`;
  throw new RegulonError('E_PANEL', message, {
    hint: 'import the file with `regulon data import --panel FILE` of the run',
  });
}

/** @throws E_ARGUMENT where a sample is corrected by others of its batch: alone it has none */
function verifyPreparation(specification: FeatureSpecification): void {
  if (!hasBatchSteps(specification)) return;
  const message = 'the preparation corrects batches, which are fitted on the training units of a site';
  throw new RegulonError('E_ARGUMENT', message, {
    hint: 'use a model whose preparation has no step that corrects batches',
  });
}

function featuresOf(plan: Plan, { genes }: LocalDataset, specification: FeatureSpecification | null): number {
  if (specification) return featureCount(specification);
  return plan.dataset.kind === 'series' ? 1 : genes.length;
}

function inputNames(
  { dataset: { kind }, task }: Plan,
  { genes, panel }: LocalDataset,
  specification: FeatureSpecification | null,
): string[] {
  const pca = specification && lastStep(specification, 'pca');
  if (pca) return Array.from({ length: pca.components }, (_, i) => `PC${i + 1}`);
  if (specification) return Array.from(specification.keptGenes, (gene) => panel[gene] ?? '');
  if (kind === 'sequences')
    return genes.map((_, i) => `${Math.floor(i / LETTERS) + 1}${'ACGT'[i % LETTERS]}`);
  // each step is predicted from the one before it
  return task === 'forecast'
    ? genes.slice(0, -1)
    : genes.flatMap((step) => [`${step} value`, `${step} measured`]);
}
