import { RegulonError } from '../../errors/index.js';
import type { Plan } from '../../plan/index.js';
import { positionsIn } from '../numbers.js';
import type { FeatureSpecification } from '../specification.js';
import { unitTransform } from '../transform.js';
import type { UnitsView } from '../view.js';

/** Between the name of an omic and that of its feature: `rna:ESR1`. */
const SEPARATOR = ':';

/** A dataset as its site holds it. */
interface OmicTable {
  readonly unitIds: readonly string[];
  readonly genes: readonly string[];
  /** row-major [units, genes]; NaN = missing */
  readonly values: Float64Array;
}

/**
 * Positions of the features of each input of a model of several omics; nothing for other datasets.
 *
 * @returns one list an input, ascending
 * @throws E_MODEL_SHAPE when the panel has another number of features of an omic than the model reads
 * @throws E_DATA_FORMAT when a unit has a part of an omic, or none at all; units are named by position (from 1)
 */
export function omicsOf(
  table: OmicTable,
  { dataset, model }: Pick<Plan, 'dataset' | 'model'>,
): Pick<UnitsView, 'omics'> {
  if (dataset.kind !== 'omics') return {};
  const omics = (model.inputs ?? []).map(({ name, shape }, i) => {
    const own = Uint32Array.from(
      table.genes.flatMap((gene, g) => (gene.startsWith(`${name}${SEPARATOR}`) ? [g] : [])),
    );
    const size = shape.reduce((a, b) => a * b, 1);
    if (own.length === size) return own;
    throw new RegulonError(
      'E_MODEL_SHAPE',
      `model.inputs[${i}]: ${name} takes ${size} numbers, the panel has ${own.length} features ${name}${SEPARATOR}…`,
    );
  });
  verifyWhole(table, omics);
  return { omics };
}

/** An omic is there as a whole, or not at all: single gaps are filled before a file is imported. */
function verifyWhole({ unitIds, genes, values }: OmicTable, omics: readonly Uint32Array[]): void {
  unitIds.forEach((_, unit) => {
    const present = omics.filter((own) => {
      const gaps = own.reduce((n, g) => n + Number(Number.isNaN(values[unit * genes.length + g])), 0);
      if (gaps > 0 && gaps < own.length)
        throw new RegulonError(
          'E_DATA_FORMAT',
          `unit ${unit + 1}: ${gaps} of ${own.length} values of an omic are missing`,
          {
            hint: 'impute them before the import, or leave the whole omic of this unit out',
          },
        );
      return gaps === 0;
    });
    if (present.length === 0)
      throw new RegulonError('E_DATA_FORMAT', `unit ${unit + 1} has none of the omics of the plan`, {
        hint: 'leave the unit out',
      });
  });
}

/**
 * Model inputs of units with several omics: the prepared values of each omic, zeros where a unit lacks it, and behind them 1
 * or 0.
 *
 * @returns features, float32 row-major, and their shape [n, features + omics]; the caller owns them
 * @throws E_DATA_NOT_FINITE when a prepared value of an omic that is there is not finite
 */
export function omicRows(
  view: UnitsView & Required<Pick<UnitsView, 'omics'>>,
  spec: FeatureSpecification,
): { features: Float32Array; shape: [number, number] } {
  const unit = unitTransform(view, spec);
  const columns = view.omics.map((own) => positionsIn(spec.keptGenes, own));
  const width = columns.reduce((n, own) => n + own.length + 1, 0);
  const features = new Float32Array(view.n * width);
  const row = new Float64Array(unit.length);
  for (let i = 0; i < view.n; i++) {
    unit.apply(i, row);
    let at = i * width;
    for (const own of columns) {
      const isThere = !Number.isNaN(row[own[0] ?? 0] ?? NaN);
      if (isThere) own.forEach((g, j) => (features[at + j] = finite(row[g], i)));
      features[at + own.length] = isThere ? 1 : 0;
      at += own.length + 1;
    }
  }
  return { features, shape: [view.n, width] };
}

function finite(value: number | undefined, unit: number): number {
  if (value !== undefined && Number.isFinite(value)) return value;
  throw new RegulonError(
    'E_DATA_NOT_FINITE',
    `unit ${unit + 1} after the preparation: a value is not finite`,
  );
}
