import { type FeatureSpecification, lastStep, LETTERS, type UnitsView } from '@regulon/shared/genomics';
import type { Plan } from '@regulon/shared/plan';
import type { LocalDataset } from '../data/index.js';

/** What the numbers of a model's row stand for. */
export interface SampleInputs {
  /** genes, components, bases or steps; what only says whether an omic is there is none */
  readonly names: readonly string[];
  /** place of each in the row, ascending */
  readonly columns: readonly number[];
  /** numbers of a row */
  readonly width: number;
}

/**
 * The inputs of a model, in the order of its row.
 *
 * @param view with the features of each omic, where there are several
 * @param specification null where nothing is prepared
 */
export function inputsOf(
  plan: Plan,
  dataset: Pick<LocalDataset, 'genes' | 'panel'>,
  { omics }: Pick<UnitsView, 'omics'>,
  specification: FeatureSpecification | null,
): SampleInputs {
  if (specification && omics) return inputsOfOmics(dataset.panel, omics, specification);
  const names = namesOf(plan, dataset, specification);
  return { names, columns: [...names.keys()], width: names.length };
}

/** Kept features of each omic; behind them stands whether it is there, as `omicRows` writes it. */
function inputsOfOmics(
  panel: readonly string[],
  omics: readonly Uint32Array[],
  { keptGenes }: FeatureSpecification,
): SampleInputs {
  const kept = new Set(keptGenes);
  const [names, columns]: [string[], number[]] = [[], []];
  let width = 0;
  for (const own of omics) {
    for (const feature of own) {
      if (!kept.has(feature)) continue;
      names.push(panel[feature] ?? '');
      columns.push(width++);
    }
    width++;
  }
  return { names, columns, width };
}

function namesOf(
  { dataset: { kind }, task }: Plan,
  { genes, panel }: Pick<LocalDataset, 'genes' | 'panel'>,
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
