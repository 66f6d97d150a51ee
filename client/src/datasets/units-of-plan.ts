import { designOf, omicsOf, patientsOf, targetsOf, type UnitsView } from '@regulon/shared/genomics';
import type { Plan } from '@regulon/shared/plan';
import { type LocalDataset, viewOf } from '../data/index.js';

/**
 * The units of a dataset with classes, batches, covariates, targets and patients of a plan.
 *
 * @throws E_LABEL naming unit and column
 */
export function unitsOfPlan(dataset: LocalDataset, plan: Plan): UnitsView {
  const patients = patientNamesOf(dataset, plan);
  return {
    ...{ ...viewOf(dataset, plan.label?.classes), ...designOf(dataset, plan.design) },
    ...{ ...targetsOf(dataset, plan), ...omicsOf(dataset, plan) },
    ...(patients && { patients: numbered(patients) }),
  };
}

/** What of a plan `unitsOfPlan` depends on. */
export function unitsKeyOf({ label, design, targets, model, dataset }: Plan): string {
  return JSON.stringify([
    label?.classes ?? null,
    design ?? null,
    targets && [targets, model.heads],
    model.inputs ?? null,
    dataset.patientColumn ?? null,
  ]);
}

/**
 * Patient of each unit; undefined when every unit is one of its own. What the site's import says comes before a column that
 * a plan names: a plan cannot make several patients of one.
 */
export function patientNamesOf(
  dataset: LocalDataset,
  plan: Pick<Plan, 'dataset'>,
): readonly string[] | undefined {
  return dataset.patients?.map(String) ?? patientsOf(dataset, plan.dataset);
}

function numbered(names: readonly string[]): Int32Array {
  const numbers = new Map([...new Set(names)].map((name, i) => [name, i]));
  return Int32Array.from(names, (name) => numbers.get(name) ?? 0);
}
