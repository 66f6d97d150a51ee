import { RegulonError } from '../errors/index.js';
import type { Plan } from '../plan/index.js';
import type { LabelTable } from './labels.js';

/**
 * Patient of each unit, where a patient may have several.
 *
 * @returns names that never leave the site, aligned with the units; undefined when each unit stands for itself
 * @throws E_LABEL when the column is absent or a unit has no patient; names unit and column, never a cell
 */
export function patientsOf(
  table: LabelTable,
  { patientColumn }: Plan['dataset'],
): readonly string[] | undefined {
  if (patientColumn === undefined) return undefined;
  const cells = table.columns.get(patientColumn);
  if (!cells) throw new RegulonError('E_LABEL', `dataset: the label table has no column ${patientColumn}`);
  return cells.map((cell, unit) => {
    if (cell !== null && cell !== '') return String(cell);
    throw new RegulonError('E_LABEL', `dataset: unit ${unit + 1} has no patient in column ${patientColumn}`);
  });
}
