import { RegulonError } from '@regulon/shared/errors';
import type { UnitsView } from '@regulon/shared/genomics';
import type { Plan } from '@regulon/shared/plan';

/** @throws E_DATA_FORMAT when values are missing and no step of the plan fills them */
export function verifyComplete({ values }: UnitsView, { prepare, dataset }: Plan): void {
  const isFilled = prepare.some(({ step }) => step.startsWith('impute-'));
  if (dataset.kind !== 'expression' || isFilled || !values.some(Number.isNaN)) return;
  throw new RegulonError(
    'E_DATA_FORMAT',
    `dataset ${dataset.name}: values are missing, and no step of the plan fills them`,
    {
      hint: 'prepare impute-mean, impute-neighbours or impute-low-rank, or import genes that every unit has',
    },
  );
}
