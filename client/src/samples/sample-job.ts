import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { equalBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { featureCount, type FeatureSpecification, hasBatchSteps, omicsOf } from '@regulon/shared/genomics';
import type { Plan } from '@regulon/shared/plan';
import { modelFrameOf, seriesChannels } from '@regulon/shared/program';
import {
  type DatasetSource,
  loadDataset,
  type LocalDataset,
  verifyPatientUnits,
  viewOf,
} from '../data/index.js';
import { writeGeneNames, writePrepared, writeUnprepared } from '../datasets/index.js';
import { type SitePart, sitePartPath } from '../state/index.js';
import { type ArmData, modelFilePaths, type ModelJob } from '../training/index.js';
import { batchesOfSamples } from './batches.js';
import { inputsOf, type SampleInputs } from './inputs.js';
import { outputsOf, type SampleOutput } from './outputs.js';
import type { PulledModel } from './pulled-model.js';

/** Where a site's samples lie; of what kind and scale they are says the plan of the model. */
export interface SampleSource {
  readonly where: Omit<DatasetSource, 'kind' | 'scale'>;
  /** files that the model is made with, each named by the 64 digits of its digest */
  readonly modelFiles?: string;
  /** weights of this site, of a model that has any */
  readonly localWeights?: string;
  /** what this site fitted for its batches in the run, of a preparation that corrects them */
  readonly batches?: string;
  /** folder with both for the models of finished runs, where they are not named */
  readonly siteModels?: string;
  /** their classes are read, as the plan defines them */
  readonly wantsClasses: boolean;
}

/** Samples, prepared. */
export interface PreparedSamples {
  readonly data: ArmData;
  readonly dataset: LocalDataset;
  readonly inputs: SampleInputs;
}

/** Samples as a model reads them. */
export interface SampleJob extends PreparedSamples {
  readonly job: ModelJob;
  /** each number that the model gives, as far as the plan names them */
  readonly outputs: readonly SampleOutput[];
}

/**
 * Samples for a model, prepared as the sites of its run did.
 *
 * @param folder private, for prepared data
 * @throws as `prepareSamples`
 */
export async function sampleJob(
  model: PulledModel,
  source: SampleSource,
  folder: string,
): Promise<SampleJob> {
  const { plan, specification } = model;
  const samples = await prepareSamples(model, source, join(folder, 'samples'));
  const { data, dataset, inputs } = samples;
  const { modelFiles } = source;
  const localWeights = source.localWeights ?? partOf(model, source, 'local.f32');
  const job: ModelJob = {
    ...{ declaration: plan.model, task: plan.task, data, weightsPath: model.weightsPath },
    ...modelFrameOf(plan, featuresOf(plan, dataset, specification)),
    ...{ modelFiles: modelFilePaths(plan.model, modelFiles ?? ''), horizon: plan.evaluation.horizon },
    ...(localWeights === undefined ? {} : { localWeightsPath: localWeights }),
  };
  return { ...samples, job, outputs: outputsOf(plan, dataset, inputs.names) };
}

/**
 * Read samples and prepare them, each by itself.
 *
 * @param prefix path and begin of the names of files
 * @throws E_PANEL for another gene panel; E_ARGUMENT for a batch that this site did not train with; the errors of the
 *   importers
 */
export async function prepareSamples(
  model: PulledModel,
  source: SampleSource,
  prefix: string,
): Promise<PreparedSamples> {
  const { plan, specification } = model;
  const { where, batches, wantsClasses } = source;
  const file = basename(where.counts);
  const dataset = await loadDataset({ ...where, kind: plan.dataset.kind, scale: plan.dataset.scale });
  verifyPatientUnits(dataset, plan.dataset.unit, file);
  verifyPanel(model, dataset, file);
  const classes = wantsClasses ? plan.label?.classes : undefined;
  const batched =
    specification && hasBatchSteps(specification)
      ? batchesOfSamples(dataset, plan, specification, batches ?? partOf(model, source, 'batches.json'))
      : undefined;
  const view = { ...viewOf(dataset, classes), ...omicsOf(dataset, plan), ...batched?.design };
  const data: ArmData = specification
    ? {
        ...writePrepared(view, specification, batched?.preparation, prefix),
        ...writeGeneNames(plan, dataset.panel, specification, prefix),
      }
    : writeUnprepared(view, plan, prefix);
  return { data, dataset, inputs: inputsOf(plan, dataset, view, specification) };
}

/** What this site keeps of the model's run, if it does. */
function partOf(model: PulledModel, { siteModels }: SampleSource, part: SitePart): string | undefined {
  if (siteModels === undefined) return undefined;
  const path = sitePartPath(siteModels, model, part);
  return existsSync(path) ? path : undefined;
}

/** @throws E_PANEL */
function verifyPanel({ panelDigest }: PulledModel, dataset: LocalDataset, file: string): void {
  if (equalBytes(dataset.panelDigest, panelDigest)) return;
  const message = `${file}: ${dataset.panel.length} genes that are not those of the run, in their order`;
  throw new RegulonError('E_PANEL', message, {
    hint: 'import the file with `regulon data import --panel FILE` of the run',
  });
}

function featuresOf(plan: Plan, { genes }: LocalDataset, specification: FeatureSpecification | null): number {
  if (specification) return featureCount(specification);
  return plan.dataset.kind === 'series' ? seriesChannels(plan) : genes.length;
}
