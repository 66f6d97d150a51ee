import { RegulonError } from '../errors/index.js';
import { type FeatureSpecification, withStep } from './specification.js';
import type { StatisticsOptions, StatisticsStep } from './statistics-step.js';
import { countPatients } from './patient-counts.js';
import type { UnitsView } from './view.js';

/** Released sums cover at least this many units (rounds.md §4). */
export const MIN_UNITS = 5;

/**
 * First round of every arm: [n, units per class, sites per class, units non-zero per gene, sites non-zero per gene], and
 * of records that may share a patient [patients, patients per class]; genes then count patients, too.
 *
 * Genes below the disclosure minimum (units or sites) are dropped and named; no later sum holds them.
 */
export function countsStep(options: StatisticsOptions): StatisticsStep {
  const { classes, genes, hasRecords } = options;
  return {
    id: 'counts',
    what: hasRecords
      ? 'number of units, of units per class, and of patients: with a non-zero value per gene, in all, and per class'
      : 'number of units, of units per class, and of units with a non-zero value per gene',
    fractionBits: options.fractionBits,
    length: () => 1 + 2 * classes + 2 * genes + (hasRecords ? 1 + classes : 0),
    bound: (weightCap) => weightCap,
    local: (view) => (hasRecords ? withPatients(view, countsOf(view, classes)) : countsOf(view, classes)),
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
  const carriers = countPatients(view, genes, (unit, mark) => {
    for (let gene = 0; gene < genes; gene++) {
      const value = values[unit * genes + gene] ?? NaN;
      if (value !== 0 && !Number.isNaN(value)) mark(gene);
    }
  });
  sums.set(carriers, 1 + 2 * classes);
  const presence = (from: number, length: number): void => {
    for (let k = from; k < from + length; k++) sums[k + length] = (sums[k] ?? 0) > 0 ? 1 : 0;
  };
  presence(1, classes);
  presence(1 + 2 * classes, genes);
  return sums;
}

function withPatients(view: UnitsView, counts: Float64Array): Float64Array {
  const { classes } = view;
  const patients = countPatients(view, 1 + classes, (unit, mark) => {
    mark(0);
    if (classes > 0) mark(1 + labelOf(view, unit, classes));
  });
  const both = new Float64Array(counts.length + patients.length);
  both.set(counts);
  both.set(patients, counts.length);
  return both;
}

function labelOf(view: UnitsView, unit: number, classes: number): number {
  const label = view.labels?.[unit] ?? -1;
  if (label >= 0 && label < classes) return label;
  throw new RegulonError('E_LABEL', `unit ${unit + 1} has no class`);
}

/** @param patients in all, then of each class @throws E_UNITS */
function verifyPatients(patients: Uint32Array, least: number): void {
  const small = patients.findIndex((n) => n < least);
  if (small < 0) return;
  const whose = small === 0 ? 'the units are' : `the units of class ${small} are`;
  throw new RegulonError(
    'E_UNITS',
    `${whose} of ${patients[small]} patients over all contributing sites, at least ${least} are needed`,
  );
}

function fitCounts(
  spec: FeatureSpecification,
  sums: Float64Array,
  { classes, genes, uMin, minUnits = MIN_UNITS, isPublic = false, hasRecords = false }: StatisticsOptions,
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
  if (hasRecords) verifyPatients(whole(1 + 2 * classes + 2 * genes, 1 + classes), minUnits);
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
