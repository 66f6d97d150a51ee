export { joinUnits, type UnitsView, selectUnits } from './view.js';
export { identifiersText, SERIES_PANEL, panelDigest, type PanelIdentifiers } from './panel.js';
export * from './identifiers/index.js';
export { LETTERS, oneHot, sequencePanel } from './sequences.js';
export { type Cell, parseLabelRule } from './label-rule.js';
export { type ClassRule, labelsOf } from './labels.js';
export { omicRows, omicsOf } from './omics/omics.js';
export { targetsOf } from './targets/targets.js';
export { countedTargets } from './targets/counted-targets.js';
export { batchNamesOf, covariateColumns, designOf, verifyDesign } from './design.js';
export { sitePreparation } from './batch/site-preparation.js';
export { hasBatchSteps, type SitePreparation } from './batch/site-parameters.js';
export { FOLDS, foldsOf } from './folds.js';
export { patientsOf } from './patients.js';
export { type FeatureSpecification, emptySpecification, genesBefore } from './specification.js';
export { featureCount, lastStep } from './fitted-steps.js';
export { decodeSpecification, encodeSpecification, specificationDigest } from './specification-codec.js';
export { type StatisticsStep } from './statistics-step.js';
export { statisticsSteps, withoutSums } from './statistics-steps.js';
export { MIN_UNITS } from './counts-step.js';
export { type Association, associationOf } from './confounding/association.js';
export { type Finding, findingOf } from './findings/finding.js';
export { tableAssociation } from './confounding/table-association.js';
export { keepPrepared } from './prepared-units.js';
export { meanProfileOf } from './mean-profile.js';
export { medianOf } from './numbers.js';
export { transform } from './transform.js';
export { fillSeries, wholeSeries } from './series.js';
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
export type { SummedRound } from './summed-round.js';
export type { TestTable } from './voom/voom-fit.js';
export { testTableText } from './voom/test-table-text.js';
export {
  allowedCells,
  averagePrecisionOf,
  type Bounded,
  rocAreaOf,
  scoreHistogram,
} from './scores/score-histogram.js';
export { type Calibration, calibrationOf, calibrationSums } from './scores/calibration.js';
export { type CurvePlace } from './scores/curves.js';
export {
  type ClassCurves,
  type Scored,
  type ScoreReport,
  scoreReportOf,
  type ScoreShape,
  scoreLength,
  scoreSums,
} from './scores/task-scores.js';
export { type Concordance, concordanceOf, concordanceSums } from './scores/concordance.js';
export {
  type HeadScored,
  type HeadScores,
  headScoreLength,
  headScoresOf,
  headScoreSums,
  type HeadShape,
} from './scores/head-scores.js';
export { type RegressionScores, regressionScoresOf, regressionSums } from './scores/regression.js';
export { type Interval, wilsonInterval } from './scores/confidence.js';
export { coxRound, stratifiedCoxRound } from './survival/cox.js';
export { discreteTimeRound, intervalEvents, verifyIntervals } from './survival/discrete-time.js';
export { newtonStart, type NewtonState } from './survival/newton.js';
export type { SurvivalUnits } from './survival/survival-units.js';
export { type LinearBaseline, type LinearFit, slimFit } from './baselines/linear-fit.js';
export { logisticBaseline } from './baselines/logistic-baseline.js';
export { ridgeBaseline } from './baselines/ridge-baseline.js';
export { fitLoneSite, type LinearScore, scoreLinear } from './baselines/score-linear.js';
export { type LinearHead, linearHeadsOf } from './baselines/head-loss.js';
export { linearHeadsBaseline, scoreLinearHeads } from './baselines/linear-heads.js';
export { coxLoss } from './survival/cox-loss.js';
export { elasticNetBaseline } from './baselines/elastic-net.js';
export { pcaLogisticBaseline } from './baselines/pca-logistic-baseline.js';
export { fitLogistic } from './baselines/logistic.js';
export { predictRidge, ridgeRounds, type RidgeState } from './baselines/ridge.js';
export { type LabelledUnits, probabilities, softmaxRound, softmaxStart } from './baselines/softmax-sums.js';
