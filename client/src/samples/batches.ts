import { existsSync } from 'node:fs';
import { RegulonError } from '@regulon/shared/errors';
import {
  batchNamesOf,
  designOf,
  type FeatureSpecification,
  type SitePreparation,
  type UnitsView,
} from '@regulon/shared/genomics';
import type { Design, Plan } from '@regulon/shared/plan';
import type { LocalDataset } from '../data/index.js';
import { readSiteBatches, type SiteBatches } from '../datasets/index.js';

/** Samples in the batches that their site had in training, and how those were fitted. */
export interface BatchedSamples {
  readonly design: Pick<UnitsView, 'batches' | 'covariates'>;
  readonly preparation: SitePreparation;
}

/**
 * Find the batch of each sample among those that this site trained with.
 *
 * @param path what the site fitted in the run that made the model
 * @throws E_ARGUMENT for a sample of another batch, or without the file; E_DIGEST for the file of another preparation;
 *   E_LABEL when a sample has no batch, or lacks a covariate that the correction uses
 */
export function batchesOfSamples(
  dataset: LocalDataset,
  plan: Plan,
  specification: FeatureSpecification,
  path: string | undefined,
): BatchedSamples {
  if (path === undefined || !existsSync(path))
    throw new RegulonError('E_ARGUMENT', 'the preparation corrects batches, and it is not known how', {
      hint:
        'name what this site fitted when it trained: --config of its daemon, or --batches FILE; ' +
        'a site that did not train cannot apply the model',
    });
  const known = readSiteBatches(path, specification);
  const { batch } = plan.design ?? {};
  const covariates = covariatesUsed(dataset, plan.design, specification);
  if (known.names === null || batch === undefined)
    return { design: covariates, preparation: known.preparation };
  const batches = numbersAtTraining(dataset, batch, known);
  return { design: { batches, ...covariates }, preparation: known.preparation };
}

/** @throws E_ARGUMENT naming sample and column, never a cell */
function numbersAtTraining(
  dataset: LocalDataset,
  column: string,
  { names, preparation }: SiteBatches,
): Int32Array {
  const fitted = new Set([...preparation.values()].flatMap((batches) => batches.map((own) => own.batch)));
  const numbers = new Map(names?.map((name, number) => [name, number]));
  const own = batchNamesOf(dataset, column).map((name) => numbers.get(name) ?? -1);
  const { batches = new Int32Array(0) } = designOf(dataset, { batch: column, covariates: [] });
  return batches.map((number, sample) => {
    const known = own[number] ?? -1;
    if (fitted.has(known)) return known;
    throw new RegulonError(
      'E_ARGUMENT',
      `sample ${sample + 1}: its batch (column ${column}) is none of the ${fitted.size} that this site trained with`,
      {
        hint: 'leave its samples out: a batch is corrected by what was fitted on training units of it; train again with them to add it',
      },
    );
  });
}

/** Covariates that change a value; the others may be unknown of a new sample, as a class is. */
function covariatesUsed(
  dataset: LocalDataset,
  design: Design | undefined,
  { steps }: FeatureSpecification,
): Pick<UnitsView, 'covariates'> {
  const all = design?.covariates ?? [];
  const used = new Set(
    steps.flatMap((fit) => (fit.step === 'combat' && !fit.meanOnly ? [...fit.covariates] : [])),
  );
  if (used.size === 0) return {};
  const wanted = [...all.keys()].filter((column) => used.has(column));
  const { covariates: cells = new Float64Array(0) } = designOf(dataset, {
    covariates: all.filter((_, column) => used.has(column)),
  });
  const covariates = new Float64Array(dataset.unitIds.length * all.length);
  cells.forEach((value, i) => {
    const unit = Math.floor(i / wanted.length);
    covariates[unit * all.length + (wanted[i % wanted.length] ?? 0)] = value;
  });
  return { covariates };
}
