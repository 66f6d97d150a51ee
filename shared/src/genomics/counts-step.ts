import { RegulonError } from '../errors/index.js';
import { type FeatureSpecification, withStep } from './specification.js';
import type { StatisticsOptions, StatisticsStep } from './statistics-step.js';
import type { UnitsView } from './view.js';

/** Released sums cover at least this many units (rounds.md §4). */
export const MIN_UNITS = 5;

/**
 * First round of every arm: [n, units per class, sites per class, units non-zero per gene, sites non-zero per gene].
 *
 * Genes below the disclosure minimum (units or sites) are dropped and named; no later sum holds them.
 */
export function countsStep(options: StatisticsOptions): StatisticsStep {
  const { classes, genes } = options;
  return {
    id: 'counts',
    what: 'number of units, of units per class, and of units with a non-zero value per gene',
    fractionBits: options.fractionBits,
    length: () => 1 + 2 * classes + 2 * genes,
    bound: (weightCap) => weightCap,
    local: (view) => countsOf(view, classes),
    fit: (spec, sums) => fitCounts(spec, sums, options),
  };
}

function countsOf(view: UnitsView, classes: number): Float64Array {
  const { n, genes, values } = view;
  const sums = new Float64Array(1 + 2 * classes + 2 * genes);
  sums[0] = n;
  for (let i = 0; i < n && classes > 0; i++) {
    const label = 1 + labelOf(view, i, classes);
    sums[label] = (sums[label] ?? 0) + 1;
  }
  const units = sums.subarray(1 + 2 * classes, 1 + 2 * classes + genes);
  for (let i = 0; i < n; i++) {
    for (let gene = 0; gene < genes; gene++) {
      const value = values[i * genes + gene] ?? NaN;
      if (value !== 0 && !Number.isNaN(value)) units[gene] = (units[gene] ?? 0) + 1;
    }
  }
  const presence = (from: number, length: number): void => {
    for (let k = from; k < from + length; k++) sums[k + length] = (sums[k] ?? 0) > 0 ? 1 : 0;
  };
  presence(1, classes);
  presence(1 + 2 * classes, genes);
  return sums;
}

function labelOf(view: UnitsView, unit: number, classes: number): number {
  const label = view.labels?.[unit] ?? -1;
  if (label >= 0 && label < classes) return label;
  throw new RegulonError('E_LABEL', `unit ${unit + 1} has no class`);
}

function fitCounts(
  spec: FeatureSpecification,
  sums: Float64Array,
  { classes, genes, uMin, minUnits = MIN_UNITS, isPublic = false }: StatisticsOptions,
): FeatureSpecification {
  const whole = (from: number, length: number): Uint32Array =>
    Uint32Array.from(sums.subarray(from, from + length), (x) => Math.max(0, Math.round(x)));
  const units = whole(0, 1)[0] ?? 0;
  if (units < minUnits)
    throw new RegulonError('E_UNITS', `${units} units together, at least ${minUnits} are needed`);
  const classUnits = whole(1, classes);
  const small = classUnits.findIndex((n) => n < minUnits);
  if (small >= 0) {
    throw new RegulonError(
      'E_UNITS',
      `class ${small + 1} has fewer than ${minUnits} units over all contributing sites`,
    );
  }
  const classSites = whole(1 + classes, classes);
  const rare = isPublic ? -1 : classSites.findIndex((n) => n < uMin);
  if (rare >= 0) {
    throw new RegulonError(
      'E_UNITS',
      `class ${rare + 1} occurs at ${classSites[rare]} sites; outside public runs at least ${uMin} are needed`,
    );
  }
  const geneUnits = whole(1 + 2 * classes, genes);
  const geneSites = whole(1 + 2 * classes + genes, genes);
  const keptGenes = spec.keptGenes.filter(
    (g) => (geneUnits[g] ?? 0) >= minUnits && (geneSites[g] ?? 0) >= uMin,
  );
  if (keptGenes.length === 0) {
    throw new RegulonError('E_UNITS', `no gene is non-zero for ${minUnits} units at ${uMin} sites`);
  }
  return withStep(spec, {
    step: 'counts',
    units,
    classUnits,
    classSites,
    minUnits,
    minSites: uMin,
    keptGenes,
  });
}
