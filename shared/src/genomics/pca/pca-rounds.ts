import { RegulonError } from '../../errors/index.js';
import type { PrepareStep } from '../../plan/index.js';
import { verifiedUnits } from '../cohort.js';
import { add } from '../numbers.js';
import { type FeatureSpecification, type PcaFit, withStep } from '../specification.js';
import type { StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import type { UnitsView } from '../view.js';
import { sumOver } from '../unit-sums.js';
import { iterated, leadingComponents, startComponents } from './components.js';
import { pairs, productsOfPairs } from './gene-pairs.js';

type PcaStep = Extract<PrepareStep, { step: 'pca' }>;

/** Genes of an exact covariance: half a million sums. */
const MOST_GENES = 1000;

/**
 * Principal components (P13): the mean, then either the covariance of all pairs of genes in one round, or rounds of
 * subspace iteration that sum only genes × components each. Scores stay at the sites.
 *
 * @param largest bound of one prepared value
 */
export function pcaSteps(step: PcaStep, largest: number, options: StatisticsOptions): StatisticsStep[] {
  const { fractionBits } = options;
  const mean: StatisticsStep = {
    id: 'pca-mean',
    what: 'number of units and, per gene, the sum of its prepared values',
    fractionBits,
    length: (spec) => 1 + spec.keptGenes.length,
    bound: (weightCap) => weightCap * largest,
    local: (view, spec) =>
      sumOver(
        view,
        spec,
        (x, sums) => x.forEach((value, j) => add(sums, j, value)),
        (g) => g,
      ),
    fit: (spec, sums) => started(spec, sums, step),
  };
  const bound = (weightCap: number): number => weightCap * (2 * largest) ** 2;
  if (step.iterations === undefined) {
    return [
      mean,
      {
        id: 'pca-covariance',
        what: 'number of units and, per pair of genes, the sum of products of their distances from the mean',
        fractionBits,
        length: (spec) => 1 + pairs(spec.keptGenes.length),
        bound,
        local: (view, spec) => sumOver(view, before(spec).spec, productsOf(before(spec).fit.mean), pairs),
        fit: fitCovariance,
      },
    ];
  }
  const rounds = Array.from({ length: step.iterations }, (_, k) => ({
    id: `pca-iteration-${k + 1}`,
    what: 'number of units and, per gene and component, the sum of distance from the mean × score',
    fractionBits,
    length: (spec: FeatureSpecification) => 1 + spec.keptGenes.length * step.components,
    // a score is at most √genes times a value
    bound: (weightCap: number) => bound(weightCap) * Math.sqrt(options.genes),
    local: (view: UnitsView, spec: FeatureSpecification) => {
      const { fit, spec: prefix } = before(spec);
      return sumOver(view, prefix, imagesOf(fit), (genes) => genes * step.components);
    },
    fit: fitIteration,
  }));
  return [mean, ...rounds];
}

/** The component step under way, and the specification without it. */
function before(spec: FeatureSpecification): { fit: PcaFit; spec: FeatureSpecification } {
  const fit = spec.steps.at(-1);
  if (fit?.step !== 'pca') throw new RegulonError('E_STATE', 'the mean of the components is not known yet');
  return { fit, spec: { ...spec, steps: spec.steps.slice(0, -1) } };
}

function started(spec: FeatureSpecification, sums: Float64Array, step: PcaStep): FeatureSpecification {
  const units = verifiedUnits(spec, sums);
  const genes = spec.keptGenes.length;
  const refuse = (rule: string): never => {
    throw new RegulonError('E_UNITS', `pca: ${rule}`);
  };
  if (step.components > Math.min(genes, units - 1))
    refuse(`${step.components} components of ${genes} genes and ${units} units`);
  if (step.iterations === undefined && genes > MOST_GENES)
    refuse(`the covariance of ${genes} genes is too large: select ${MOST_GENES}, or set iterations`);
  return withStep(spec, {
    step: 'pca',
    components: step.components,
    mean: sums.slice(1).map((sum) => sum / units),
    loadings: startComponents(step.components, genes),
    variance: new Float64Array(step.components),
  });
}

/** Upper triangle, row by row, of the products of distances from the mean. */
function productsOf(mean: Float64Array): (x: Float64Array, sums: Float64Array) => void {
  return (x, sums) =>
    productsOfPairs(
      x.map((value, j) => value - (mean[j] ?? 0)),
      sums,
    );
}

function imagesOf({ mean, loadings, components }: PcaFit): (x: Float64Array, sums: Float64Array) => void {
  return (x, sums) => {
    const d = x.map((value, j) => value - (mean[j] ?? 0));
    for (let c = 0; c < components; c++) {
      const own = loadings.subarray(c * d.length, (c + 1) * d.length);
      const score = d.reduce((sum, value, j) => sum + value * (own[j] ?? 0), 0);
      d.forEach((value, j) => add(sums, c * d.length + j, value * score));
    }
  };
}

function fitCovariance(spec: FeatureSpecification, sums: Float64Array): FeatureSpecification {
  const { fit, spec: prefix } = before(spec);
  const units = verifiedUnits(spec, sums);
  const genes = fit.mean.length;
  const covariance = new Float64Array(genes * genes);
  let at = 1;
  for (let j = 0; j < genes; j++) {
    for (let k = j; k < genes; k++, at++) {
      covariance[j * genes + k] = covariance[k * genes + j] = (sums[at] ?? 0) / units;
    }
  }
  return withStep(prefix, { ...fit, ...leadingComponents(covariance, genes, fit.components) });
}

function fitIteration(spec: FeatureSpecification, sums: Float64Array): FeatureSpecification {
  const { fit, spec: prefix } = before(spec);
  const units = verifiedUnits(spec, sums);
  const image = sums.slice(1).map((sum) => sum / units);
  return withStep(prefix, { ...fit, ...iterated(fit.loadings, image, fit.components) });
}
