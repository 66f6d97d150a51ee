import { RegulonError } from '../../errors/index.js';
import { libraryOf } from '../library.js';
import { type FeatureSpecification, withStep } from '../specification.js';
import { lastStep } from '../fitted-steps.js';
import type { UnitsView } from '../view.js';
import type { GeneLengthsFit } from './gene-lengths-fit.js';

/**
 * Counts by the lengths of their genes (P03), without a sum: each unit by itself. The total of a unit is over the genes
 * that the expression filter kept, else over the panel.
 *
 * @param lengths bases, one a gene of the panel, in its order
 * @throws E_PANEL when they are of another panel
 */
export function byGeneLength(
  spec: FeatureSpecification,
  step: GeneLengthsFit['step'],
  lengths: readonly number[],
): FeatureSpecification {
  if (lengths.length !== spec.genes)
    throw new RegulonError(
      'E_PANEL',
      `${step}: ${lengths.length} lengths for ${spec.genes} genes of the panel`,
    );
  const filter = lastStep(spec, 'filter-by-expression');
  return withStep(spec, {
    ...{ step, lengths: Uint32Array.from(lengths) },
    ...(filter && { libraryGenes: filter.keptGenes }),
  });
}

/**
 * What a count of a unit is multiplied with before its logarithm, by panel position.
 *
 * TPM: 10⁶ / (length · Σ count / length). FPKM: 10⁹ / (length · Σ count). 0 for a unit without any count.
 *
 * @see Wagner et al. 2012; Mortazavi et al. 2008
 */
export function lengthFactorsOf(
  view: UnitsView,
  unit: number,
  { step, lengths, libraryGenes }: GeneLengthsFit,
): (gene: number) => number {
  const start = unit * view.genes;
  let total = 0;
  if (step === 'log2-fpkm') total = libraryOf(view.values, start, view.genes, libraryGenes) / 1e3;
  else {
    const add = (gene: number): void =>
      void (total += (view.values[start + gene] ?? 0) / (lengths[gene] ?? 1));
    if (libraryGenes) libraryGenes.forEach(add);
    else for (let gene = 0; gene < view.genes; gene++) add(gene);
  }
  return (gene) => (total > 0 ? 1e6 / total / (lengths[gene] ?? 1) : 0);
}
