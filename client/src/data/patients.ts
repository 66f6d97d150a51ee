import { RegulonError } from '@regulon/shared/errors';
import type { Cell } from '@regulon/shared/genomics';
import type { LocalDataset, PerPatient } from './local-dataset.js';
import type { OpenStore } from './store/index.js';

/** Number of the patient of each unit, from 1; undefined when every unit is a patient of its own. */
export function patientNumbersOf({ manifest, units }: OpenStore): readonly number[] | undefined {
  const cells = manifest.patientColumn === null ? undefined : units.columns[manifest.patientColumn];
  const numbers = cells?.filter((cell) => typeof cell === 'number');
  return numbers && new Set(numbers).size < numbers.length ? numbers : undefined;
}

/** Patients behind the units. */
export const patientCount = ({ patients, unitIds }: LocalDataset): number =>
  patients ? new Set(patients).size : unitIds.length;

/** @throws E_UNITS when a dataset whose unit is the patient has several records of one */
export function verifyPatientUnits(dataset: LocalDataset, unit: string, file: string): void {
  if (unit !== 'patient' || !dataset.patients) return;
  throw new RegulonError(
    'E_UNITS',
    `${file}: ${dataset.unitIds.length} units are of ${patientCount(dataset)} patients, but the unit of the dataset is the patient`,
    { hint: 'say `perPatient: sum` or `perPatient: mean` in the dataset, or the unit that a record is' },
  );
}

/**
 * One unit a patient, in the order of their numbers.
 *
 * An annotation that differs between the records of a patient is missing, and noted.
 */
export function joinRecords(dataset: LocalDataset, how: PerPatient): LocalDataset {
  const { patients, genes, values, unitIds, columns } = dataset;
  if (!patients) return dataset;
  const members = new Map<number, number[]>();
  patients.forEach((patient, unit) => members.set(patient, [...(members.get(patient) ?? []), unit]));
  const groups = [...members].sort(([a], [b]) => a - b);
  const joined = new Float64Array(groups.length * genes.length);
  groups.forEach(([, units], p) => {
    for (let g = 0; g < genes.length; g++) {
      let sum = 0;
      for (const unit of units) sum += values[unit * genes.length + g] ?? NaN;
      joined[p * genes.length + g] = how === 'sum' ? sum : sum / units.length;
    }
  });
  const notes = [`${unitIds.length} records of ${groups.length} patients, one unit a patient (${how})`];
  const table = [...columns].map(([name, cells]): [string, Cell[]] => {
    const common = groups.map(([, units]) => commonCell(units.map((unit) => cells[unit] ?? null)));
    const different = common.filter((cell) => cell === undefined).length;
    if (different > 0) notes.push(`column ${name} differs within ${different} patients: missing there`);
    return [name, common.map((cell) => cell ?? null)];
  });
  const { patients: _, ...rest } = dataset;
  return {
    ...rest,
    unitIds: groups.map(([patient]) => `patient-${patient}`),
    values: joined,
    columns: new Map(table),
    notes: [...dataset.notes, ...notes],
  };
}

/** What all cells are; undefined when they differ. */
const commonCell = ([first = null, ...others]: readonly Cell[]): Cell | undefined =>
  others.every((cell) => cell === first) ? first : undefined;
