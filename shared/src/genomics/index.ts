export { type UnitsView, selectUnits } from './view.js';
export { compareCodePoints } from './code-point.js';
export { SERIES_PANEL, panelDigest, verifyPanel } from './panel.js';
export { type Cell, type LabelRule, parseLabelRule } from './label-rule.js';
export { type ClassRule, type LabelTable, labelsOf } from './labels.js';
export { FOLDS, foldOf, sharedFoldOf } from './folds.js';
export {
  type FeatureSpecification,
  type FittedStep,
  droppedGenes,
  emptySpecification,
  lastStep,
} from './specification.js';
export { decodeSpecification, encodeSpecification, specificationDigest } from './specification-codec.js';
export { type StatisticsOptions, type StatisticsStep } from './statistics-step.js';
export { statisticsSteps } from './statistics-steps.js';
export { MIN_UNITS } from './counts-step.js';
export { minExpressingUnits } from './filter-by-expression.js';
export { transform } from './transform.js';
export { type FilledSeries, fillSeries } from './series.js';
export { type ForecastError, type SeriesBaselines, seriesBaselines } from './series-baselines.js';
export {
  type Confusion,
  type Score,
  accuracyOf,
  balancedAccuracyOf,
  classesOf,
  f1PerClassOf,
  macroF1Of,
  majorityShareOf,
  matthewsCorrelationOf,
  precisionPerClassOf,
  recallPerClassOf,
} from './metrics.js';
