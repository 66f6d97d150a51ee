import { join } from 'node:path';
import { cellsOf, linesOf, type Table } from '../../shared/src/genomics/golden-data.support.js';
import { writeSiteTables } from './site-tables.js';

/** Columns before the genes: outcome, patient, visit, sample, plate, score of disability. */
const FIRST_GENE = 6;

interface Patient {
  readonly outcome: string;
  /** most frequent plate of the visits */
  readonly plate: string;
  /** mean log2 over the visits of each gene; NaN where no visit has a value above 0 */
  readonly genes: readonly number[];
}

/** The multiple-sclerosis series, one row a patient; needs the shared data. */
function plateSeries(): { genes: string[]; patients: Map<string, Patient> } {
  const [header = '', ...lines] = linesOf('ms_ifnb/patient_sheet1.csv.gz');
  const genes = cellsOf(header)
    .slice(FIRST_GENE)
    .map((name) => name.trim());
  const visits = lines.map((line) => cellsOf(line));
  const patients = distinct(visits.map((cells) => cells[1] ?? '')).map((id): [string, Patient] => {
    const own = visits.filter((cells) => cells[1] === id);
    const plates = own.map((cells) => cells[4] ?? '');
    const times = (plate: string): number => plates.filter((other) => other === plate).length;
    const [plate = ''] = distinct(plates).sort((a, b) => times(b) - times(a));
    const values = genes.map((_, g) => meanLog2(own.map((cells) => Number(cells[FIRST_GENE + g]))));
    return [id, { outcome: own[0]?.[0]?.trim() ?? '', plate, genes: values }];
  });
  return { genes, patients: new Map(patients) };
}

const distinct = (values: readonly string[]): string[] => [...new Set(values)];

function meanLog2(values: readonly number[]): number {
  const logs = values.filter((x) => x > 0).map((x) => Math.log2(x));
  return logs.reduce((sum, x) => sum + x, 0) / logs.length;
}

/** A site a plate: its patients, their genes, and how they responded. @param names one a plate, in order */
export function writePlateSites(
  root: string,
  names: readonly string[],
): { name: string; counts: string; labels: string }[] {
  const { genes, patients } = plateSeries();
  const plates = distinct([...patients.values()].map(({ plate }) => plate)).sort();
  return names.map((name, at) => {
    const own = [...patients].filter(([, { plate }]) => plate === plates[at]);
    const table: Table = {
      columns: own.map(([id]) => id),
      rows: genes,
      values: genes.map((_, g) => own.map(([, patient]) => patient.genes[g] ?? NaN)),
    };
    const unitOf = (c: number) => ({ id: `p${c}`, label: own[c]?.[1].outcome ?? '' });
    const columns = [...own.keys()];
    return { name, ...writeSiteTables(join(root, name), 'responder', { table, columns, unitOf }) };
  });
}
