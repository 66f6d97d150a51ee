import { RegulonError } from '../../errors/index.js';
import { add } from '../numbers.js';
import { iterated, startComponents } from '../pca/components.js';
import type { SummedRound } from '../summed-round.js';
import type { LinearBaseline, LinearFit } from './linear-fit.js';
import { logisticBaseline } from './logistic-baseline.js';
import type { LabelledUnits } from './softmax-sums.js';

type Round = SummedRound<LabelledUnits, LinearFit>;

interface Options {
  readonly components: number;
  /** sums that turn the components towards those of largest variance, at least 1 */
  readonly iterations: number;
  /** C of ½‖w‖² + C·Σ cross-entropy, w over components */
  readonly c: number;
  /** sums of the logistic regression, at least 1 */
  readonly rounds: number;
  /** of a prepared value */
  readonly bound: number;
  readonly fractionBits: number;
  /** most features, and most units of all sites together */
  readonly most: { readonly features: number; readonly units: number };
}

/**
 * Logistic regression on principal components, by secure sums: the means, then subspace iteration, then gradients. The
 * scores of units stay where they are, and the fit is again linear in the features.
 *
 * @throws E_UNITS in a fit with more components than features, or than units less one
 */
export function pcaLogisticBaseline(options: Options): LinearBaseline {
  // a score is at most √features times a distance from the mean
  const score = 2 * options.bound * Math.sqrt(options.most.features);
  const bits = (value: number): number =>
    Math.min(options.fractionBits, Math.floor(62 - Math.log2(options.most.units * value)));
  const products = 2 * options.bound * score;
  const iterations = Array.from({ length: options.iterations }, (_, k) =>
    iterationRound(k, options.components, { bound: products, fractionBits: bits(products) }),
  );
  const logistic = logisticBaseline({ ...options, bound: score, fractionBits: bits(score) });
  return {
    ...{ name: 'pca-logistic', hasLogits: true },
    rounds: [
      meansRound(options),
      ...iterations,
      ...logistic.rounds.map((round, k) => onScores(round, k, options.components)),
    ],
    start: (features, classes) => ({
      ...{ features, classes, units: 0, weights: new Float64Array(classes * (features + 1)) },
    }),
  };
}

function meansRound({ components, bound, fractionBits }: Options): Round {
  return {
    id: 'pca-logistic-means',
    what: 'number of units and, per feature, the sum of its values',
    fractionBits,
    length: ({ features }) => 1 + features,
    bound: (weightCap) => weightCap * bound,
    local: ({ n, features, x }) => {
      const sums = new Float64Array(1 + features);
      sums[0] = n;
      x.forEach((value, k) => add(sums, 1 + (k % features), value));
      return sums;
    },
    fit: (state, sums) => {
      const units = Math.round(sums[0] ?? 0);
      if (components > Math.min(state.features, units - 1))
        throw new RegulonError(
          'E_UNITS',
          `pca-logistic: ${components} components of ${state.features} features and ${units} units`,
          { hint: 'lower evaluation.baselines: pca-logistic: components' },
        );
      const mean = sums.slice(1).map((sum) => sum / units);
      const loadings = startComponents(components, state.features);
      return { ...state, units, components: { count: components, mean, loadings } };
    },
  };
}

function iterationRound(k: number, count: number, ring: { bound: number; fractionBits: number }): Round {
  return {
    id: `pca-logistic-components-${k}`,
    what: 'per feature and component, the sum over units of distance from the mean × score',
    fractionBits: ring.fractionBits,
    length: ({ features }) => features * count,
    bound: (weightCap) => weightCap * ring.bound,
    local: (units, state) => {
      const { mean, loadings } = componentsOf(state);
      const scores = scoresOf(units, state).x;
      const sums = new Float64Array(loadings.length);
      units.x.forEach((value, at) => {
        const [unit, j] = [Math.floor(at / units.features), at % units.features];
        const distance = value - (mean[j] ?? 0);
        for (let c = 0; c < count; c++)
          add(sums, c * units.features + j, distance * (scores[unit * count + c] ?? 0));
      });
      return sums;
    },
    fit: (state, sums) => {
      const components = componentsOf(state);
      const image = sums.map((sum) => sum / state.units);
      const { loadings } = iterated(components.loadings, image, components.count);
      return { ...state, components: { ...components, loadings } };
    },
  };
}

/** A round of the regression on scores, in terms of the fit on features. */
function onScores(round: Round, k: number, count: number): Round {
  return {
    ...round,
    id: `pca-logistic-${k}`,
    length: (state) => round.length(fitOnScores(state, count)),
    local: (units, state) => round.local(scoresOf(units, state), fitOnScores(state, count)),
    fit: (state, sums, contributors) => {
      const scores = round.fit(fitOnScores(state, count), sums, contributors);
      return { ...state, scores, search: scores.search, weights: onFeatures(scores.weights, state) };
    },
  };
}

const fitOnScores = ({ classes, units, scores }: LinearFit, count: number): LinearFit =>
  scores ?? { features: count, classes, units, weights: new Float64Array(classes * (count + 1)) };

function componentsOf({ components }: LinearFit): NonNullable<LinearFit['components']> {
  if (!components) throw new RegulonError('E_STATE', 'pca-logistic: the means are not known yet');
  return components;
}

/** Units by their scores. */
function scoresOf(units: LabelledUnits, state: LinearFit): LabelledUnits {
  const { count, mean, loadings } = componentsOf(state);
  const { n, features } = units;
  const x = new Float64Array(n * count);
  units.x.forEach((value, at) => {
    const [unit, j] = [Math.floor(at / features), at % features];
    const distance = value - (mean[j] ?? 0);
    for (let c = 0; c < count; c++) add(x, unit * count + c, distance * (loadings[c * features + j] ?? 0));
  });
  return { ...units, features: count, x };
}

/** The same function as weights of features. @param weights row-major [classes, components + 1] */
function onFeatures(weights: Float64Array, state: LinearFit): Float64Array {
  const { count, mean, loadings } = componentsOf(state);
  const { features, classes } = state;
  const out = new Float64Array(classes * (features + 1));
  for (let k = 0; k < classes; k++) {
    const at = k * (features + 1);
    out[at + features] = weights[k * (count + 1) + count] ?? 0;
    for (let j = 0; j < features; j++) {
      for (let c = 0; c < count; c++)
        add(out, at + j, (weights[k * (count + 1) + c] ?? 0) * (loadings[c * features + j] ?? 0));
      add(out, at + features, -(out[at + j] ?? 0) * (mean[j] ?? 0));
    }
  }
  return out;
}
