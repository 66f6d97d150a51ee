import { RegulonError } from '../../errors/index.js';
import { verifiedUnits } from '../cohort.js';
import { add } from '../numbers.js';
import { sizeFactorOf } from '../normalize/size-factors.js';
import { type FeatureSpecification, withStep } from '../specification.js';
import { requireStep } from '../fitted-steps.js';
import type { StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import type { UnitsView } from '../view.js';
import {
  addTerms,
  constantOf,
  dispersionsOf,
  GRID,
  gridOf,
  LARGEST_TERM,
  MIN_DISPERSION,
  onGrid,
  proposed,
  searched,
  TERMS,
  unsettled,
} from './dispersion-search.js';
import { trendOf } from './dispersion-trend.js';
import type { DispersionsFit } from './vst-fit.js';

/** bound of a normalised count, and of its squared distance over the mean */
const LARGEST = 2 ** 17;

/** Most fraction bits with which the sum of a likelihood fits the ring, 40 at most. */
const searchBits = ({ weightCap, sites = 255 }: StatisticsOptions): number =>
  Math.min(40, Math.floor(62 - Math.log2(sites * weightCap * LARGEST_TERM)));

/**
 * Variance-stabilising transformation of DESeq2, blind to labels (P09): means, spreads, then `iterations` rounds of its search
 * for the dispersion of every gene at once, and their trend.
 *
 * @see Anders & Huber 2010; DESeq2 1.38 `varianceStabilizingTransformation(blind = TRUE)`
 */
export function vstSteps(iterations: number, options: StatisticsOptions): StatisticsStep[] {
  const { fractionBits } = options;
  const means: StatisticsStep = {
    id: 'vst-means',
    what: 'number of units, the sum of their inverse size factors and, per gene, of normalised counts',
    fractionBits,
    length: (spec) => 2 + spec.keptGenes.length,
    bound: (weightCap) => weightCap * LARGEST,
    local: (view, spec) => {
      const sums = new Float64Array(2 + spec.keptGenes.length);
      sums[0] = view.n;
      eachUnit(view, spec, (counts, factor) => {
        add(sums, 1, 1 / factor);
        counts.forEach((count, j) => add(sums, 2 + j, count / factor));
      });
      return sums;
    },
    fit: (spec, sums) => withMeans(spec, sums, verifiedUnits(spec, sums)),
  };
  const spreads: StatisticsStep = {
    id: 'vst-spreads',
    what: 'number of units and, per gene, over its mean, the sum of squared distances of normalised counts from it and of a constant of their likelihood',
    fractionBits,
    length: (spec) => 1 + 2 * spec.keptGenes.length,
    bound: (weightCap) => weightCap * LARGEST,
    local: (view, spec) => {
      const { mean } = requireStep(spec, 'dispersions');
      const sums = new Float64Array(1 + 2 * mean.length);
      sums[0] = view.n;
      eachUnit(view, spec, (counts, factor) =>
        counts.forEach((count, j) => {
          const m = mean[j] ?? 1;
          add(sums, 1 + j, (count / factor - m) ** 2 / Math.max(1, m));
          add(sums, 1 + mean.length + j, constantOf(count, m * factor) / Math.max(1, m));
        }),
      );
      return sums;
    },
    fit: (spec, sums) =>
      replaced(spec, started(requireStep(spec, 'dispersions'), sums, verifiedUnits(spec, sums))),
  };
  const searches = Array.from({ length: 1 + iterations }, (_, k): StatisticsStep => ({
    id: `vst-search-${k}`,
    what: 'number of units and, per gene, the likelihood of a dispersion with its derivative and weights',
    fractionBits: searchBits(options),
    length: (spec) => 1 + TERMS * spec.keptGenes.length,
    bound: (weightCap) => weightCap * LARGEST_TERM,
    local: likelihoodsOf,
    fit: (spec, sums) => {
      verifiedUnits(spec, sums);
      return replaced(spec, searched(requireStep(spec, 'dispersions'), sums.subarray(1)));
    },
  }));
  const grids = [false, true].map((isFine): StatisticsStep => ({
    id: isFine ? 'vst-grid-fine' : 'vst-grid-coarse',
    what: 'number of units and, per gene whose search did not settle, the likelihood of 20 dispersions',
    fractionBits: searchBits(options),
    length: (spec) => 1 + 2 * GRID * spec.keptGenes.length,
    bound: (weightCap) => weightCap * LARGEST_TERM,
    local: (view, spec) => gridLikelihoods(view, spec, isFine),
    fit: (spec, sums) => {
      verifiedUnits(spec, sums);
      const next = onGrid(requireStep(spec, 'dispersions'), sums.subarray(1), isFine);
      return isFine ? withTrend(spec, next) : replaced(spec, next);
    },
  }));
  return [means, spreads, ...searches, ...grids];
}

/** Raw counts of the kept genes of each unit, with its size factor. */
function eachUnit(
  view: UnitsView,
  spec: FeatureSpecification,
  visit: (counts: Float64Array, factor: number) => void,
): void {
  const fitted = requireStep(spec, 'size-factors');
  for (let unit = 0; unit < view.n; unit++) {
    const counts = Float64Array.from(spec.keptGenes, (gene) => view.values[unit * view.genes + gene] ?? 0);
    visit(counts, sizeFactorOf(view, unit, fitted));
  }
}

function withMeans(spec: FeatureSpecification, sums: Float64Array, units: number): FeatureSpecification {
  const mean = sums.slice(2).map((sum) => sum / units);
  const none = new Float64Array(mean.length);
  return withStep(spec, {
    step: 'dispersions',
    ...{ rounds: 0, units, meanInverseFactor: (sums[1] ?? 0) / units, mean },
    ...{ start: none, at: none, value: none, slope: none, initial: none, kappa: none, grid: none },
    constant: none,
    ...{ accepted: new Uint32Array(mean.length), done: new Uint32Array(mean.length) },
  });
}

/** Start of the search: the smaller of two moment estimates. @see DESeq2 roughDispEstimate, momentsDispEstimate */
function started(search: DispersionsFit, sums: Float64Array, units: number): DispersionsFit {
  if (units < 2) throw new RegulonError('E_UNITS', 'vst: dispersions need two units and more');
  const most = Math.max(10, units);
  const start = search.mean.map((m, j) => {
    const squares = Math.max(0, sums[1 + j] ?? 0) * Math.max(1, m);
    const rough =
      m >= 1
        ? (squares - units * m) / (m * m) / (units - 1)
        : (squares + units * (m - 1) ** 2 - units) / (units - 1);
    const moments = (squares / (units - 1) - search.meanInverseFactor * m) / (m * m);
    return Math.log(Math.min(most, Math.max(MIN_DISPERSION, Math.min(Math.max(0, rough), moments))));
  });
  const constant = search.mean.map((m, j) => (sums[1 + start.length + j] ?? 0) * Math.max(1, m));
  return { ...search, start, at: start, constant, kappa: start.map(() => 1) };
}

function likelihoodsOf(view: UnitsView, spec: FeatureSpecification): Float64Array {
  const search = requireStep(spec, 'dispersions');
  const sums = new Float64Array(1 + TERMS * search.mean.length);
  sums[0] = view.n;
  const places = search.mean.map((_, j) => proposed(search, j));
  eachUnit(view, spec, (counts, factor) =>
    counts.forEach((count, j) => {
      if (search.done[j] !== 0) return;
      const into = sums.subarray(1 + TERMS * j, 1 + TERMS * (j + 1));
      addTerms(into, count, { geneMean: search.mean[j] ?? 0, factor, logAlpha: places[j] ?? 0 });
    }),
  );
  return sums;
}

function gridLikelihoods(view: UnitsView, spec: FeatureSpecification, isFine: boolean): Float64Array {
  const search = requireStep(spec, 'dispersions');
  const sums = new Float64Array(1 + 2 * GRID * search.mean.length);
  sums[0] = view.n;
  const needs = unsettled(search);
  const grids = needs.map((needed, j) => (needed ? gridOf(search, j, isFine) : null));
  const terms = new Float64Array(TERMS);
  eachUnit(view, spec, (counts, factor) =>
    grids.forEach((grid, j) =>
      grid?.forEach((place, k) => {
        addTerms(terms.fill(0), counts[j] ?? 0, { geneMean: search.mean[j] ?? 0, factor, logAlpha: place });
        add(sums, 1 + 2 * GRID * j + k, terms[0] ?? 0);
        add(sums, 1 + 2 * GRID * j + GRID + k, terms[2] ?? 0);
      }),
    ),
  );
  return sums;
}

const replaced = (spec: FeatureSpecification, search: DispersionsFit): FeatureSpecification => ({
  ...spec,
  steps: spec.steps.map((step) => (step.step === 'dispersions' ? search : step)),
});

/** The search gives way to the two numbers that one unit needs. */
function withTrend(spec: FeatureSpecification, search: DispersionsFit): FeatureSpecification {
  const { asymptotic, extra } = trendOf(search.mean, dispersionsOf(search));
  const steps = spec.steps.filter(({ step }) => step !== 'dispersions');
  return withStep({ ...spec, steps }, { step: 'vst', asymptotic, extra });
}
