export { joinUnits, type UnitsView, selectUnits } from './view.js';
export { SERIES_PANEL, panelDigest } from './panel.js';
export { type Cell, parseLabelRule } from './label-rule.js';
export { type ClassRule, labelsOf } from './labels.js';
export { covariateColumns, designOf, verifyDesign } from './design.js';
export { sitePreparation } from './batch/site-preparation.js';
export { hasBatchSteps, type SitePreparation } from './batch/site-parameters.js';
export { FOLDS, foldsOf } from './folds.js';
export { type FeatureSpecification, emptySpecification, featureCount } from './specification.js';
export { decodeSpecification, encodeSpecification, specificationDigest } from './specification-codec.js';
export { type StatisticsStep } from './statistics-step.js';
export { statisticsSteps } from './statistics-steps.js';
export { MIN_UNITS } from './counts-step.js';
export { type Association, associationOf } from './confounding/association.js';
export { transform } from './transform.js';
export { fillSeries } from './series.js';
export { seriesBaselines } from './series-baselines.js';
export {
  type Score,
  accuracyOf,
  balancedAccuracyOf,
  macroF1Of,
  majorityShareOf,
  matthewsCorrelationOf,
  precisionPerClassOf,
  recallPerClassOf,
} from './metrics.js';
