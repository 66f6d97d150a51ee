import { RegulonError } from '../../errors/index.js';
import { MIN_UNITS } from '../counts-step.js';
import { FOLDS } from '../folds.js';
import { countPatients } from '../patient-counts.js';
import type { StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import type { UnitsView } from '../view.js';
import type { CountedTarget } from './counted-targets.js';

/** Which units are scored by themselves: those of fold 0, of each fold, or no part of a site. */
type Parts = 'one' | 'holdout' | 'folds';

/**
 * Units with each kind of target, over the whole dataset, and whether there are any at the site: before a head is trained or
 * scored, each of its sums must cover enough units and sites, those that are held out by themselves too.
 */
export function targetsStep(targets: readonly CountedTarget[], options: StatisticsOptions): StatisticsStep {
  const parts: Parts = options.hasFolds ? 'folds' : options.hasHoldout ? 'holdout' : 'one';
  const half = partsOf(parts) * targets.length;
  return {
    id: 'targets',
    what: 'number of units with a target of each head: of each class, with an event, with a number',
    over: 'dataset',
    fractionBits: options.fractionBits,
    length: () => 2 * half,
    bound: (weightCap) => weightCap,
    local: (view) => countsOf(view, targets, parts),
    fit: (spec, sums) => {
      verifyCounts(sums, targets, options);
      return spec;
    },
  };
}

const partsOf = (parts: Parts): number => (parts === 'folds' ? FOLDS : parts === 'holdout' ? 2 : 1);

function partOf(parts: Parts, fold: number): number {
  if (parts === 'folds') return fold;
  return parts === 'holdout' && fold > 0 ? 1 : 0;
}

/** [units of a part with each target, part by part | 1 where there are any] */
function countsOf(view: UnitsView, targets: readonly CountedTarget[], parts: Parts): Float64Array {
  const half = partsOf(parts) * targets.length;
  const sums = new Float64Array(2 * half);
  const all = view.targets ?? new Float64Array(0);
  const width = all.length / view.n;
  const counted = countPatients(view, half, (unit, mark) => {
    const row = all.subarray(unit * width, (unit + 1) * width);
    const from = partOf(parts, view.folds?.[unit] ?? 0) * targets.length;
    targets.forEach(({ counts }, t) => counts(row) && mark(from + t));
  });
  sums.set(counted);
  for (let k = 0; k < half; k++) sums[half + k] = (sums[k] ?? 0) > 0 ? 1 : 0;
  return sums;
}

/** @throws E_UNITS naming the first target that too few units or, outside public runs, too few sites have */
function verifyCounts(
  sums: Float64Array,
  targets: readonly CountedTarget[],
  { minUnits = MIN_UNITS, uMin, isPublic = false }: StatisticsOptions,
): void {
  const half = sums.length / 2;
  const leastSites = isPublic ? 0 : uMin;
  targets.forEach(({ name, isWhole = false }, t) => {
    const parts = Array.from({ length: half / targets.length }, (_, part) => part * targets.length + t);
    const units = parts.map((at) => Math.round(sums[at] ?? 0));
    const least = isWhole ? units.reduce((a, b) => a + b, 0) : Math.min(...units);
    if (least < minUnits)
      throw new RegulonError('E_UNITS', `${name}: fewer than ${minUnits} units${partWords(parts, isWhole)}`);
    const sites = isWhole ? Infinity : Math.min(...parts.map((at) => Math.round(sums[half + at] ?? 0)));
    if (sites < leastSites)
      throw new RegulonError(
        'E_UNITS',
        `${name}: at ${sites} sites${partWords(parts, isWhole)}; outside public runs at least ${uMin} are needed`,
      );
  });
}

const partWords = (parts: readonly number[], isWhole: boolean): string =>
  parts.length > 1 && !isWhole ? ' in a part that is held out or trains' : '';
